"""An evaluation report as one HTML page with its plots, for screens and paper. Floor 3; imports nothing of ours."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

LABEL_WIDTH, PLOT_WIDTH, ROW_HEIGHT, MARGIN = 200, 420, 26, 24  # in the units of the drawing, about pixels
LABEL_CHARACTERS_MAX = 28  # what the width of a label holds
LIST_ITEMS_SHOWN = 20

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 52rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2rem; border-bottom: 1px solid #999; }
table { border-collapse: collapse; margin: .5rem 0; } th, td { text-align: left; padding: .15rem .8rem .15rem 0;
  border-bottom: 1px solid #ddd; vertical-align: top; overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; max-width: 644px; height: auto; display: block; } svg text { font: 13px system-ui, sans-serif; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } svg, tr { break-inside: avoid; } }
"""


class Point(NamedTuple):
    """A value to plot, and the ends of its interval; both the value where it has none."""

    label: str
    value: float
    low: float
    high: float


def page(report: Mapping[str, Any]) -> str:
    """Return the page of a report, as `EvaluationReport.to_dict` gives it; every text in it is escaped."""
    title = escape(f"{report['model_id']} {report['version']}")
    sections = [
        metrics_section(report["metrics"]),
        *(comparison_section(against, tests) for against, tests in report["comparisons"].items()),
        *(validation_section(name, result) for name, result in report["validations"].items()),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Evaluation of {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Evaluation of {title}</h1>\n"
        f"<p>Report {escape(report['report_id'])}, {escape(report['created_at'])}</p>\n"
        + "".join(sections)
        + "</body>\n</html>\n"
    )


def metrics_section(metrics: Mapping[str, Any]) -> str:
    """Return the measures as a table, and those that lie in [0, 1] as a plot."""
    if not metrics:
        return ""
    rows = [
        [name, *([found["mean"], found["low"], found["high"]] if isinstance(found, Mapping) else [found, "", ""])]
        for name, found in metrics.items()
    ]
    points = [Point(name, found, *ends(found, low, high)) for name, found, low, high in rows if is_share(found)]
    heads = ["Measure", "Value", "95 % from", "to"]
    return section("Metrics", plot(points, 0, 1, mark=0, title="Measures between 0 and 1") + table(heads, rows))


def comparison_section(against: str, tests: Mapping[str, Any]) -> str:
    """Return how the model differs from another, with the interval of each difference around zero."""
    points = [
        Point(name, *(test["difference"][end] for end in ("mean", "low", "high"))) for name, test in tests.items()
    ]
    reach = max((max(abs(point.low), abs(point.high)) for point in points), default=0) or 1
    rows = [
        [name, test["first_mean"], test["second_mean"], *test["difference"].values(), test["p_value"], test["queries"]]
        for name, test in tests.items()
    ]
    heads = ["Measure", "This", "Other", "Difference", "95 % from", "to", "p", "Queries"]
    drawing = plot(points, -reach, reach, mark=0, title=f"Differences from {against}")
    return section(f"Against {against}", drawing + table(heads, rows))


def validation_section(name: str, result: Any) -> str:
    """Return a check's result; where its columns have effects, as those of drift have, with a plot of them."""
    return section(name, effects(result) + details(result))


def effects(result: Any) -> str:
    columns = result.get("columns") if isinstance(result, Mapping) else None
    if not isinstance(columns, Mapping):
        return ""
    found = {
        name: column["effect"]
        for name, column in columns.items()
        if isinstance(column, Mapping) and is_number(column.get("effect"))
    }
    threshold = result["threshold"] if is_number(result.get("threshold")) else 0
    reach = max([threshold, *found.values()], default=0) or 1
    points = [Point(name, effect, effect, effect) for name, effect in found.items()]
    return plot(points, 0, reach, mark=threshold, title=f"Effects, and the threshold of {threshold:g}")


def plot(points: Sequence[Point], start: float, stop: float, *, mark: float, title: str) -> str:
    """Return a drawing with a row for each point on an axis from start to stop, and a line at the mark."""
    if not points:
        return ""

    def across(value: float) -> float:
        return round(LABEL_WIDTH + PLOT_WIDTH * (value - start) / (stop - start), 2)

    height = len(points) * ROW_HEIGHT
    rows = "".join(point_row(point, number, across) for number, point in enumerate(points))
    ticks = "".join(
        f'<text x="{across(value)}" y="{height + 20}" text-anchor="middle">{value:.3g}</text>'
        for value in (start, (start + stop) / 2, stop)
    )
    return (
        f'<svg role="img" viewBox="0 0 {LABEL_WIDTH + PLOT_WIDTH + MARGIN} {height + 28}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<path d="M{across(start)} {height}H{across(stop)}" stroke="#666"/>\n'
        f'<path d="M{across(mark)} 0V{height}" stroke="#a00" stroke-dasharray="4 3"/>\n{rows}{ticks}</svg>\n'
    )


def point_row(point: Point, number: int, across: Callable[[float], float]) -> str:
    middle = number * ROW_HEIGHT + ROW_HEIGHT / 2
    shown = point.label if len(point.label) <= LABEL_CHARACTERS_MAX else point.label[: LABEL_CHARACTERS_MAX - 1] + "…"
    return (
        f"<g><title>{escape(point.label)}: {point.value:.4g}</title>"
        f'<text x="{LABEL_WIDTH - 12}" y="{middle + 4}" text-anchor="end">{escape(shown)}</text>'
        f'<path d="M{across(point.low)} {middle}H{across(point.high)}" stroke="#036" stroke-width="2"/>'
        f'<circle cx="{across(point.value)}" cy="{middle}" r="4" fill="#036"/></g>\n'
    )


def section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}</section>\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(cell(value) for value in row)}</tr>\n" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def cell(value: Any) -> str:
    kind = ' class="number"' if is_number(value) else ""
    return f"<td{kind}>{details(value)}</td>"


def details(value: Any) -> str:
    """Return a JSON value for reading: dictionaries as tables, long lists by their beginning."""
    if isinstance(value, Mapping):
        rows = "".join(f'<tr><th scope="row">{escape(name)}</th>{cell(item)}</tr>\n' for name, item in value.items())
        return f"<table>\n{rows}</table>\n"
    if isinstance(value, list):
        rest = f", … ({len(value):,} in all)" if len(value) > LIST_ITEMS_SHOWN else ""
        return (", ".join(details(item) for item in value[:LIST_ITEMS_SHOWN]) + rest) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not known"
    return f"{value:.5g}" if isinstance(value, float) else escape(str(value))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_share(value: Any) -> bool:
    """Whether a value has a place between 0 and 1; counts, which are whole, have not."""
    return isinstance(value, float) and 0 <= value <= 1


def ends(value: float, low: Any, high: Any) -> tuple[float, float]:
    """Return the ends of the interval as far as the axis goes; both the value if there is none."""
    return (max(low, 0), min(high, 1)) if is_number(low) else (value, value)
