"""Evaluations and checks of drift: what they are asked, and the report that they lead to, as an event. Floor 3.

`evaluation` and `drift_check` take up to ten seconds: give them a thread. Only the latter imports pandas and its like.
"""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar, cast

import msgspec
import numpy as np
from msgspec import Meta

from events.catalog import EvaluationReported
from recsys.drift.profile import ReferenceProfile
from recsys.errors import InvalidInput
from recsys.evaluation.arguments import InvalidArgument
from recsys.evaluation.bootstrap import Interval
from recsys.evaluation.classification import Average
from recsys.evaluation.evaluator import ModelEvaluator
from recsys.evaluation.ranking import Gain
from recsys.evaluation.report import EvaluationReport, evaluation_reported, new_report_id, plain
from recsys.evaluation.validator import ModelValidator
from recsys.identifiers import Identifier, ReportId
from recsys.recommender.arrays import BoolArray, DoubleArray
from recsys.registry import MetricValue, Name, VersionText
from recsys.times import EPOCH, MICROSECOND

MEASURED_MAX: Final = 10_000  # queries or rows: with the comparisons of so many it takes some ten seconds
DOCUMENTS_MAX: Final = 10_000  # of a query: those of equal scores are gone through one by one
CELLS_MAX: Final = 2_000_000  # 16 MB an array, once all queries are filled up to the longest
RIVALS_MAX: Final = 2
COLUMNS_MAX: Final = 100
LABEL_CHARACTERS_MAX: Final = 100  # an array of texts gives each the room of the longest
DRIFT: Final = "drift"  # the name of the check in its report

T = TypeVar("T")
Numbers = Annotated[
    list[MetricValue | Annotated[list[MetricValue], Meta(min_length=1, max_length=DOCUMENTS_MAX)]],
    Meta(min_length=1, max_length=MEASURED_MAX, examples=[[[3, 0, 1], [0, 2]]]),
]
Label = bool | int | float | Annotated[str, Meta(max_length=LABEL_CHARACTERS_MAX)]
Labels = Annotated[list[Label], Meta(min_length=1, max_length=MEASURED_MAX, examples=[["spam", "ham", "spam"]])]
DocumentId = int | Annotated[str, Meta(max_length=LABEL_CHARACTERS_MAX)]
Ids = Annotated[
    list[DocumentId | Annotated[list[DocumentId], Meta(max_length=DOCUMENTS_MAX)]],
    Meta(max_length=MEASURED_MAX, examples=[[["soup", "stew"], ["cake"]]]),
]
Cell = float | str | bool | None
Table = Annotated[
    dict[Name, list[Cell]],
    Meta(min_length=1, max_length=COLUMNS_MAX, examples=[{"minutes": [30, 45, 20], "course": ["soup", None, "cake"]}]),
]
evaluator: Final = ModelEvaluator()


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task"):
    """What every evaluation is asked: of which model version."""

    model_id: Identifier
    version: VersionText


class RankingEvaluation(Evaluation, frozen=True, kw_only=True, tag="ranking"):
    """Measure rankings by score. y_true: grades, >= 0; y_pred: scores, higher is better.

    Each is a list for one query, or a list of lists, one a query, of any lengths. k: of nDCG, precision, recall and
    hits. gain: of a grade, exp 2^grade - 1, linear the grade. relevant_from: the least grade that is relevant.
    compare_with: the y_pred of other versions or models for the same queries, by name.
    """

    y_true: Numbers
    y_pred: Numbers
    k: Annotated[int, Meta(ge=1, le=DOCUMENTS_MAX)] = 10
    gain: Gain = "exp"
    relevant_from: Annotated[float, Meta(gt=0)] = 1
    compare_with: Annotated[dict[Name, Numbers], Meta(max_length=RIVALS_MAX)] = {}


class ClassificationEvaluation(Evaluation, frozen=True, kw_only=True, tag="classification"):
    """Measure predicted classes. y_true, y_pred: labels, all numbers or all texts, one a row.

    average: binary measures positive_label alone; null: binary if a positive label is given or all labels are 0 and 1,
    else macro. compare_with: the y_pred of other versions or models for the same rows, by name.
    """

    y_true: Labels
    y_pred: Labels
    average: Average | None = None
    positive_label: Label | None = None
    compare_with: Annotated[dict[Name, Labels], Meta(max_length=RIVALS_MAX)] = {}


class RetrievalEvaluation(Evaluation, frozen=True, kw_only=True, tag="retrieval"):
    """Measure what was retrieved. y_true: the ids of what is relevant, y_pred: of what was retrieved.

    Each is a list for one query, or a list of lists, one a query. total: how many documents there are; without it tn
    and specificity are not known. compare_with: the y_pred of other versions or models for the same queries, by name.
    """

    y_true: Ids
    y_pred: Ids
    total: Annotated[int, Meta(ge=1, le=2**31)] | None = None
    compare_with: Annotated[dict[Name, Ids], Meta(max_length=RIVALS_MAX)] = {}


AnyEvaluation = RankingEvaluation | ClassificationEvaluation | RetrievalEvaluation
Task = Literal["ranking", "classification", "retrieval"]


class DriftCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Compare current data with a baseline: columns by name, each a list of numbers, texts, truth values or nulls.

    model_id and version: whose data they are, if a model's. profile_of: in place of the baseline, a report that keeps
    its profile. threshold: in standard deviations for numbers, in Jensen-Shannon distance for shares. keep_profile:
    whether the report keeps the baseline's profile, for later checks. multivariate: whether a classifier is trained to
    tell current rows from the baseline's, which finds what no column shows alone, but not against a profile.
    """

    current: Table
    baseline: Table | None = None
    profile_of: ReportId | None = None
    model_id: Identifier | None = None
    version: VersionText | None = None
    threshold: Annotated[float, Meta(gt=0, le=1e6)] = 0.1
    keep_profile: bool = False
    multivariate: bool = False


class Measured(NamedTuple):
    """What predictions are worth. by_query: measure → its value for each query, or row, (n,)."""

    overall: Mapping[str, float | int | None]
    by_query: Mapping[str, DoubleArray]


def evaluation(asked: AnyEvaluation, *, at: int) -> EvaluationReported:
    """Return the report of a model version, with its comparisons. at: microseconds since the epoch.

    Raises InvalidInput for what cannot be measured; InvalidArgument is one.
    """
    report = EvaluationReport(asked.model_id, asked.version, created_at=moment(at))
    ours = measure(asked)
    report.add_metrics({**ours.overall, **{name: uncertain(values) for name, values in ours.by_query.items()}})
    for rival, y_pred in asked.compare_with.items():
        theirs = measure_rival(asked, rival, y_pred)
        tests = {
            name: evaluator.compare_models(values, theirs.by_query[name]) for name, values in ours.by_query.items()
        }
        report.add_comparison(rival, tests)
    return reported(report)


def reported(report: EvaluationReport) -> EvaluationReported:
    """Return the event of a report."""
    content = evaluation_reported(report)
    return EvaluationReported(model_version=content.pop("version"), **content)


def stream_of(report_id: str) -> str:
    return f"report-{report_id}"


def uncertain(values: DoubleArray) -> Interval | float:
    """Return the mean with its interval; of a single value, which has none, the value."""
    return evaluator.calculate_interval(values) if len(values) > 1 else float(values[0])


def measure_rival(asked: AnyEvaluation, rival: str, y_pred: Any) -> Measured:
    """Return what another model's predictions are worth. Raises InvalidArgument that names the model."""
    try:
        return measure(msgspec.structs.replace(asked, y_pred=y_pred))
    except InvalidArgument as error:
        field = error.field.replace("y_pred", f"compare_with.{rival}", 1)
        raise InvalidArgument(field, error.found, error.fix) from error


def measure(asked: AnyEvaluation) -> Measured:
    match asked:
        case RankingEvaluation():
            return measure_ranking(asked)
        case ClassificationEvaluation():
            return measure_classification(asked)
        case RetrievalEvaluation():
            return measure_retrieval(asked)


def measure_ranking(asked: RankingEvaluation) -> Measured:
    truth, predicted = by_query(asked.y_true, "y_true"), by_query(asked.y_pred, "y_pred")
    require_same_queries(predicted, truth)
    require_same_documents(predicted, truth)
    mask = documents_of(truth)
    grades, scores = filled(truth, mask), filled(predicted, mask)
    return Measured(
        evaluator.calculate_ranking_metrics(grades, scores, mask=mask),
        evaluator.measure_queries(grades, scores, asked.k, asked.gain, relevant_from=asked.relevant_from, mask=mask),
    )


def measure_classification(asked: ClassificationEvaluation) -> Measured:
    for field, labels in (("y_true", asked.y_true), ("y_pred", asked.y_pred)):
        if len({isinstance(label, str) for label in labels}) > 1:
            raise InvalidArgument(field, "found texts beside numbers", "give labels of one kind")
    measured = evaluator.calculate_classification_metrics(
        asked.y_true, asked.y_pred, asked.average, asked.positive_label
    )
    is_right = [true == guessed for true, guessed in zip(asked.y_true, asked.y_pred, strict=True)]
    return Measured(measured, {"accuracy": np.array(is_right, dtype=np.float64)})


def measure_retrieval(asked: RetrievalEvaluation) -> Measured:
    """Return the counts and their measures over all queries together, and the means of each query's own measures."""
    wanted, found = by_query(asked.y_true, "y_true"), by_query(asked.y_pred, "y_pred")
    require_same_queries(found, wanted)
    each = [
        evaluator.calculate_retrieval_metrics(relevant, retrieved, asked.total)
        for relevant, retrieved in zip(wanted, found, strict=True)
    ]
    total = None if asked.total is None else asked.total * len(wanted)
    return Measured(
        evaluator.calculate_retrieval_metrics(pairs(wanted), pairs(found), total),
        {
            f"mean_{name}": np.array([of_query[name] for of_query in each], dtype=np.float64)
            for name in ("precision", "recall", "f1_score")
        },
    )


def pairs(queries: Sequence[Sequence[Hashable]]) -> set[tuple[int, Hashable]]:
    """Return each query's documents as its own."""
    return {(query, document) for query, documents in enumerate(queries) for document in documents}


def by_query(values: Sequence[T | list[T]], field: str) -> list[list[T]]:
    """Return a list for each query; values that are no lists are all of one query. Raises InvalidArgument."""
    lists = sum(isinstance(value, list) for value in values)
    if lists not in (0, len(values)):
        raise InvalidArgument(field, "found lists beside single values", "give one list, or one list for each query")
    return cast(list[list[T]], list(values) if lists else [list(values)])


def require_same_queries(predicted: Sequence[list[Any]], truth: Sequence[list[Any]]) -> None:
    if len(predicted) != len(truth):
        found = f"found {len(predicted)} queries, where y_true has {len(truth)}"
        raise InvalidArgument("y_pred", found, "give one list for each query of y_true")


def require_same_documents(predicted: Sequence[list[Any]], truth: Sequence[list[Any]]) -> None:
    for query, (scores, grades) in enumerate(zip(predicted, truth, strict=True)):
        if len(scores) != len(grades):
            found = f"found {len(scores)} values, where y_true has {len(grades)}"
            raise InvalidArgument(f"y_pred[{query}]", found, "give one score for each document of y_true")


def documents_of(queries: Sequence[list[float]]) -> BoolArray:
    """Return where documents are once queries are filled up to the longest, (queries, documents)."""
    lengths = np.array([len(query) for query in queries])
    if len(queries) * lengths.max() > CELLS_MAX:
        found = f"found {len(queries)} queries, of up to {lengths.max()} documents"
        raise InvalidArgument("y_true", found, "give queries of similar lengths, in several evaluations")
    return np.arange(lengths.max()) < lengths[:, np.newaxis]


def filled(queries: Sequence[list[float]], mask: BoolArray) -> DoubleArray:
    """Return the values as (queries, documents), 0 where the mask says that no document is."""
    table = np.zeros(mask.shape)
    table[mask] = list(chain.from_iterable(queries))
    return table


def drift_check(asked: DriftCheck, kept: ReferenceProfile | None, *, at: int) -> EvaluationReported:
    """Return the report of a check of drift. kept: the profile that `profile_of` names, where it names one.

    at: microseconds since the epoch. Raises InvalidInput.
    """
    check_table(asked.current, "current")
    baseline = kept or required_baseline(asked)
    found = ModelValidator().check_data_drift(baseline, asked.current, asked.threshold, multivariate=asked.multivariate)
    return EvaluationReported(
        report_id=new_report_id(moment(at)),
        created_at=at,
        model_id=asked.model_id or "",
        model_version=asked.version or "",
        metrics={"columns": len(found["columns"]), "columns_with_drift": len(found["columns_with_drift"])},
        validations={DRIFT: plain(found, DRIFT)},
        profile=profile_fields(baseline) if asked.keep_profile else {},
    )


def required_baseline(asked: DriftCheck) -> Table:
    if asked.baseline is None:
        raise InvalidInput(
            "there is nothing to compare with", field="baseline", found="nothing", fix="give baseline or profile_of"
        )
    check_table(asked.baseline, "baseline")
    return asked.baseline


def check_table(table: Table, field: str) -> None:
    """Raise InvalidInput unless all columns have the length of the first."""
    rows = len(next(iter(table.values())))
    for name, values in table.items():
        if len(values) != rows:
            raise InvalidInput(
                f"{field}.{name} is no column of the table",
                field=f"{field}.{name}",
                found=f"{len(values)} values, where the first column has {rows}",
                fix="give each column one value a row, null where it is missing",
            )


def check_drift_request(asked: DriftCheck) -> None:
    """Raise InvalidInput if the request contradicts itself."""
    if asked.baseline is not None and asked.profile_of is not None:
        raise InvalidInput("there are two baselines", field="profile_of", fix="give either baseline or profile_of")
    if (asked.model_id is None) != (asked.version is None):
        missing = "version" if asked.version is None else "model_id"
        raise InvalidInput(f"{missing} is missing", field=missing, found="nothing", fix="give both, or neither")


def profile_fields(baseline: ReferenceProfile | Table) -> dict[str, Any]:
    """Return the profile as the event keeps it."""
    profile = baseline if isinstance(baseline, ReferenceProfile) else ReferenceProfile.of(baseline)
    return cast(dict[str, Any], msgspec.json.decode(profile.to_json()))


def kept_profile(told: EvaluationReported) -> ReferenceProfile:
    """Return the profile that a report keeps. Raises InvalidInput if it keeps none."""
    if not told.profile:
        raise InvalidInput(
            f"report {told.report_id} keeps no profile",
            field="profile_of",
            found=told.report_id,
            fix="name a report of POST /drift that was asked with keep_profile",
        )
    return ReferenceProfile.from_json(msgspec.json.encode(told.profile))


def moment(at: int) -> datetime:
    return EPOCH + at * MICROSECOND
