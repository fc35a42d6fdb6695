"""A fielded BM25 index over the words and the concepts of Spanish and English recipes, in numpy arrays. Floor 3.

Concepts are terms beside the words: one for both languages and all names of a food, so that "palta" finds avocado.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.recommender.arrays import BoolArray, DoubleArray, FloatArray, IntArray, stable_order
from recsys.recommender.packing import packed, unpacked
from recsys.recommender.readings import CONCEPT, FIELDS, Readings
from recsys.recommender.text import LANGUAGES, Analyzer

FORMAT_VERSION = 7  # of the analysis and the file; another one is built anew
K1 = 1.2
B = 0.75
# Name 2, ingredients 1, steps 0.3 did best on 3,129 real recipes; labels say as much as an ingredient.
FIELD_WEIGHTS = {
    "name": 2.0,
    "labels": 1.0,
    "ingredients": 1.0,
    "description": 0.5,
    "steps": 0.3,
    # The same for concepts, and for what they are kinds of: salmon is some kind of an answer to "fish".
    "name_concepts": 2.0,
    "label_concepts": 1.0,
    "ingredient_concepts": 1.0,
    "name_kinds": 1.0,
    "ingredient_kinds": 0.4,
}
NAME_FIELDS = [FIELDS[name] for name in ("name", "name_concepts", "name_kinds")]
NO_TERM = -1
# A recipe with the concept and the very words of the request is worth more than one with the concept alone.
BOTH_COUNT = np.float32(0.3)
# What a request only brings to mind is so much of an answer.
EVOKED_SHARE = np.float32(0.8)
# A word also counts in the language that the request is not in: dishes travel under their own names.
OTHER_LANGUAGE_LOSS = 0.8


class Unit(NamedTuple):
    """A thing that a request asks for. words: folded, without stop words. concept: what they name; "" if unknown.

    parts: the same, word by word, where a dish's name tells what is in it: "pollo con champiñones". evoked: concepts
    that will do, for "winter" stews. weight: of the unit in the request.
    """

    words: tuple[str, ...]
    concept: str = ""
    parts: tuple["Unit", ...] = ()
    evoked: tuple[str, ...] = ()
    weight: float = 1.0


class Scores(NamedTuple):
    """How well each recipe's words fit a request.

    bm25: (n,), >= 0. shares: (n,) the share of the request that the recipe has. name: (n,) how much of the request
    and of the recipe's name are in each other, in [0, 1]: 1 if they are the same. named: (n,) the share of the foods
    and dishes asked for that are in the name.
    """

    bm25: FloatArray
    shares: FloatArray
    name: FloatArray
    named: FloatArray


class LexicalIndex:
    """Which recipes hold which stems, each recipe in its own language. Never changed once built.

    terms: "es:poll" → its number. starts: (terms + 1,); the recipes of term t and their BM25 weights stand in documents
    and weights at starts[t]:starts[t + 1], in_name says whether it is in the name. name_lengths: (n,) stems in it.
    language_counts: recipes a language, in the order of LANGUAGES. vocabularies: the words of each, unstemmed.
    """

    def __init__(
        self,
        terms: Sequence[str],
        starts: IntArray,
        documents: IntArray,
        weights: FloatArray,
        in_name: BoolArray,
        name_lengths: IntArray,
        language_counts: IntArray,
        vocabularies: Sequence[Collection[str]],
    ) -> None:
        self.terms = {term: number for number, term in enumerate(terms)}
        self.starts = starts
        self.documents = documents
        self.weights = weights
        self.in_name = in_name
        self.name_lengths = name_lengths
        self.language_counts = language_counts
        self.vocabularies = [frozenset(vocabulary) for vocabulary in vocabularies]
        self.size = int(language_counts.sum())
        self.analyzer = Analyzer()

    @classmethod
    def build(cls, readings: Readings) -> "LexicalIndex":
        """Return the index of the recipes; their order numbers the documents."""
        analyzer = Analyzer()
        is_text = readings.fields < len(FIELD_WEIGHTS)
        used = np.flatnonzero(np.bincount(readings.numbers[is_text], minlength=len(readings.names)))
        terms, term_of_name = terms_of(readings.names, used, analyzer)
        at = np.flatnonzero(is_text & (term_of_name[readings.numbers] != NO_TERM))
        term, document, field = term_of_name[readings.numbers[at]], readings.recipe_of[at], readings.fields[at]
        count = readings.counts[at]
        lengths = field_lengths(document, field, count, size=len(readings))
        frequency = count * field_weights(lengths, readings.languages)[document, field]
        order = stable_order(term)
        term, document = term[order], document[order]
        first = np.flatnonzero(np.diff(term, prepend=NO_TERM) | np.diff(document, prepend=NO_TERM))
        pair_term, pair_document = term[first], document[first]
        pair_frequency = np.add.reduceat(frequency[order], first) if len(first) else frequency
        in_name = np.logical_or.reduceat(np.isin(field[order], NAME_FIELDS), first) if len(first) else first > 0
        counts = np.bincount(pair_term, minlength=len(terms))
        language_counts = np.bincount(readings.languages, minlength=len(LANGUAGES)).astype(np.int32)
        totals = np.array([total_of(name, language_counts) for name in terms], dtype=np.int32)
        weights = rarity(counts, totals)[pair_term] * pair_frequency * (K1 + 1) / (K1 + pair_frequency)
        return cls(
            terms,
            np.concatenate([[0], np.cumsum(counts)]),
            pair_document,
            weights.astype(np.float32),
            in_name,
            lengths[:, FIELDS["name"]].astype(np.int32),
            language_counts,
            vocabularies_of([readings.names[number] for number in used.tolist()]),
        )

    def scores(self, units: Collection[Unit], lean: float) -> Scores:
        """Return how well each recipe fits what is asked for, by the words or the concept of each unit.

        The score counts by the share of units that the recipe has: else one rare word outweighs the others.
        lean: of the request's language, from -1 (English) to 1 (Spanish).
        """
        scores, matched, named, named_foods = (np.zeros(self.size, dtype=np.float32) for _ in range(4))
        for unit in units:
            weight = np.float32(unit.weight)
            score, share, in_name = self.unit_scores(unit, lean)
            scores += weight * score
            matched += weight * share
            named += weight * in_name * np.float32(max(len(unit.words), 1))
            if not unit.evoked:
                named_foods += weight * in_name
        shares = matched / np.float32(sum(unit.weight for unit in units) or 1)
        asked = np.float32(sum(unit.weight * max(len(unit.words), 1) for unit in units))
        # Of a concept's one name in another language we do not know how long it is: at most as long as the name.
        lengths = self.name_lengths.astype(np.float32)
        in_common = np.minimum(named, lengths)
        return Scores(
            scores * shares,
            shares,
            np.float32(2) * in_common / np.maximum(asked + lengths, np.float32(1)),
            named_foods / np.float32(sum(unit.weight for unit in units if not unit.evoked) or 1),
        )

    def unit_scores(self, unit: Unit, lean: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return each recipe's score for one unit, how much of the unit it has, and how much of it its name has."""
        one = np.float32(1)
        part = np.float32(1 / max(len(unit.words), 1))
        score, share, in_name = (np.zeros(self.size, dtype=np.float32) for _ in range(3))
        for piece in unit.parts:
            scored, shared, named = self.unit_scores(piece, lean)
            score += scored
            share += part * shared
            in_name += part * named
        for word in () if unit.parts else unit.words:
            for number, weight in self.term_weights(word, lean):
                at = slice(self.starts[number], self.starts[number + 1])
                rows = self.documents[at]
                score[rows] += np.float32(weight) * self.weights[at]
                share[rows] += part
                in_name[rows] += part * self.in_name[at]
        number_of_concept = self.terms.get(CONCEPT + unit.concept)
        if number_of_concept is not None:
            at = slice(self.starts[number_of_concept], self.starts[number_of_concept + 1])
            rows = self.documents[at]
            weights = self.weights[at] * np.float32(self.concept_weight(number_of_concept, unit))
            score[rows] = np.maximum(score[rows], weights) + BOTH_COUNT * np.minimum(score[rows], weights)
            share[rows] = 1
            in_name[rows] = np.maximum(in_name[rows], self.in_name[at])
        self.count_evoked(unit, score, share)
        return score, np.minimum(share, one), np.minimum(in_name, one)

    def count_evoked(self, unit: Unit, score: FloatArray, share: FloatArray) -> None:
        """Fill in score and share, (n,), of recipes that have nothing of the unit but something that it brings to mind.

        One such thing is as good as another, so all count as the most usual of them.
        """
        is_missing = share == 0
        found = [number for name in unit.evoked if (number := self.terms.get(CONCEPT + name)) is not None]
        rarities = [float(rarity(self.starts[number + 1] - self.starts[number], self.size)) for number in found]
        for number, rare in zip(found, rarities, strict=True):
            at = slice(self.starts[number], self.starts[number + 1])
            rows, weights = self.documents[at], EVOKED_SHARE * np.float32(min(rarities) / rare) * self.weights[at]
            score[rows] = np.where(is_missing[rows], np.maximum(score[rows], weights), score[rows])
            share[rows] = np.where(is_missing[rows], EVOKED_SHARE, share[rows])

    def concept_weight(self, number: int, unit: Unit) -> float:
        """Return at most 1: a concept is as rare as its words are, whatever finer names the recipes have for it."""
        rarities = [
            min(
                (self.rarity(term, name) for name in LANGUAGES if (term := self.number(word, name)) is not None),
                default=0,
            )
            for word in unit.words
        ]
        count = int(self.starts[number + 1] - self.starts[number])
        return min(1.0, sum(rarities) / float(rarity(count, self.size))) if rarities and all(rarities) else 1.0

    def term_weights(self, word: str, lean: float) -> list[tuple[int, float]]:
        """Return the word's term in each language that has it, with its weight in this request.

        The word is as rare as in the language where it is usual: "patatas" says little, however rare in English.
        """
        found = {language: number for language in LANGUAGES if (number := self.number(word, language)) is not None}
        rarity = {language: self.rarity(number, language) for language, number in found.items()}
        usual = min(rarity.values(), default=0.0)
        return [(found[name], language_weight(name, lean) * usual / rarity[name]) for name in found]

    def with_word(self, word: str, *, beside_name: bool = False) -> BoolArray:
        """Return whether each recipe has the word, or one of its stem, (n,); beside_name: and not in its name."""
        found = np.zeros(self.size, dtype=bool)
        for language in LANGUAGES:
            if (number := self.number(word, language)) is not None:
                at = slice(self.starts[number], self.starts[number + 1])
                found[self.documents[at]] = ~self.in_name[at] if beside_name else True
        return found

    def is_in_a_name(self, word: str) -> bool:
        """Whether a recipe's name has the word, or one of its stem."""
        found = (self.number(word, language) for language in LANGUAGES)
        return any(self.in_name[self.starts[at] : self.starts[at + 1]].any() for at in found if at is not None)

    def number(self, word: str, language: str) -> int | None:
        return next((self.terms.get(f"{language}:{stem}") for stem in self.analyzer.stems(word, language)), None)

    def rarity(self, number: int, language: str) -> float:
        count = int(self.starts[number + 1] - self.starts[number])
        return float(rarity(count, int(self.language_counts[LANGUAGES.index(language)])))

    def spanish_vote(self, word: str) -> float:
        """Return 1 or -1 for a word of one vocabulary, else the logarithm of the ratio of shares, bounded.

        Words and not stems: the Spanish stem of "free" is that of "freír".
        """
        is_spanish, is_english = (word in vocabulary for vocabulary in self.vocabularies)
        if not (is_spanish and is_english):
            return float(is_spanish) - float(is_english)
        spanish, english = (self.share(word, language) for language in LANGUAGES)
        return float(np.clip(np.log(spanish / english), -1, 1)) if spanish and english else 0.0

    def share(self, word: str, language: str) -> float:
        """Return the share of the language's recipes that have the word."""
        return self.count(word, language) / max(int(self.language_counts[LANGUAGES.index(language)]), 1)

    def count(self, word: str, language: str) -> int:
        """Return how many of the language's recipes have the word, or one of its stem."""
        number = self.number(word, language)
        return 0 if number is None else int(self.starts[number + 1] - self.starts[number])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the index as arrays, for a file."""
        return {
            "terms": packed(self.terms),
            "spanish": packed(sorted(self.vocabularies[0])),
            "english": packed(sorted(self.vocabularies[1])),
            "starts": self.starts,
            "documents": self.documents,
            "weights": self.weights,
            "in_name": self.in_name,
            "name_lengths": self.name_lengths,
            "language_counts": self.language_counts,
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "LexicalIndex":
        """Return the index of such arrays. Raises KeyError if one is missing."""
        return cls(
            unpacked(arrays["terms"]),
            arrays["starts"],
            arrays["documents"],
            arrays["weights"],
            arrays["in_name"],
            arrays["name_lengths"],
            arrays["language_counts"],
            [unpacked(arrays["spanish"]), unpacked(arrays["english"])],
        )


def rarity(counts: Any, totals: Any) -> Any:
    """Return BM25's inverse document frequency of terms in `counts` of `totals` documents; of numbers or arrays."""
    return np.log1p((totals - counts + 0.5) / (counts + 0.5))


def language_weight(language: str, lean: float) -> float:
    """Return what a match in that language counts for a request of that lean: 1 in its own."""
    against = -lean if language == "es" else lean
    return 1 - OTHER_LANGUAGE_LOSS * max(against, 0.0)


def total_of(term: str, language_counts: IntArray) -> int:
    """Return how many recipes might hold the term: those in its language, or all for a concept."""
    if term.startswith(CONCEPT):
        return int(language_counts.sum())
    return int(language_counts[LANGUAGES.index(term[:2])])


def terms_of(names: Sequence[str], used: NDArray[np.int64], analyzer: Analyzer) -> tuple[list[str], IntArray]:
    """Return the terms of the used names, and for each name the number of its own.

    That is a word's stem, a concept itself, or NO_TERM. used: the numbers of names; not all need have a term.
    """
    numbers: dict[str, int] = {}
    of_name = np.full(len(names), NO_TERM, dtype=np.int32)
    for number in used.tolist():
        name = names[number]
        language, word = name[:2], name[3:]
        stems = [name] if name.startswith(CONCEPT) else []
        if language in LANGUAGES:
            stems = [f"{language}:{stem}" for stem in analyzer.stems(word, language)]
        for stem in stems:
            of_name[number] = numbers.setdefault(stem, len(numbers))
    return list(numbers), of_name


def vocabularies_of(names: Iterable[str]) -> list[list[str]]:
    """Return the words of each language among the names."""
    found: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    for name in names:
        if name[:2] in found:
            found[name[:2]].append(name[3:])
    return list(found.values())


def field_lengths(document: IntArray, field: NDArray[np.uint8], count: NDArray[np.uint16], *, size: int) -> DoubleArray:
    """Return how many words and concepts each document's fields hold, (size, fields)."""
    fields = len(FIELD_WEIGHTS)
    places = document.astype(np.int64) * fields + field
    lengths = np.bincount(places, weights=count, minlength=size * fields).astype(np.float64)
    return lengths.reshape(size, fields)


def field_weights(lengths: DoubleArray, languages: IntArray) -> DoubleArray:
    """Return what a word adds to its term's frequency in each document's fields: less in fields longer than usual.

    Lengths are compared within a language, whose sources write at their own length.
    """
    usual = np.ones((len(LANGUAGES), len(FIELD_WEIGHTS)))
    for language in np.unique(languages):
        usual[language] = np.maximum(lengths[languages == language].mean(axis=0), 1e-9)
    weights: DoubleArray = np.array(list(FIELD_WEIGHTS.values())) / (1 - B + B * lengths / usual[languages])
    return weights
