"""A fielded BM25 index over the words and the concepts of Spanish and English recipes, in numpy arrays. Floor 3.

Concepts are terms beside the words: one for both languages and all names of a food, so that "palta" finds avocado.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.catalog import Recipe
from recsys.recommender.arrays import BoolArray, FloatArray, IntArray
from recsys.recommender.contents import Reader
from recsys.recommender.packing import packed, unpacked
from recsys.recommender.text import LANGUAGES, Analyzer

FORMAT_VERSION = 5  # of the analysis and the file; another one is built anew
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
FIELDS = {name: number for number, name in enumerate(FIELD_WEIGHTS)}
NAME_FIELDS = [FIELDS[name] for name in ("name", "name_concepts", "name_kinds")]
# A recipe with the concept and the very words of the request is worth more than one with the concept alone.
BOTH_COUNT = np.float32(0.3)
CONCEPT_FIELDS = ("name", "label", "ingredient")
CONCEPT = "@@:"  # stands before a concept as "es:" does before a Spanish stem
# A word also counts in the language that the request is not in: dishes travel under their own names.
OTHER_LANGUAGE_LOSS = 0.4


def field_texts(recipe: Recipe) -> tuple[str, ...]:
    """Return the recipe's texts in the order of FIELD_WEIGHTS' first five."""
    labels = " ".join((*recipe.tags, recipe.course, recipe.cuisine))
    return recipe.name, labels, " ".join(recipe.ingredients), recipe.description, " ".join(recipe.steps)


class Unit(NamedTuple):
    """A thing that a request asks for. words: folded, without stop words. concept: what they name; "" if unknown.

    parts: the same, word by word, where a dish's name tells what is in it: "pollo con champiñones".
    """

    words: tuple[str, ...]
    concept: str = ""
    parts: tuple["Unit", ...] = ()


class Scores(NamedTuple):
    """How well each recipe's words fit a request.

    bm25: (n,), >= 0. shares: (n,) the share of the request that the recipe has. name: (n,) how much of the request
    and of the recipe's name are in each other, in [0, 1]: 1 if they are the same.
    """

    bm25: FloatArray
    shares: FloatArray
    name: FloatArray


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
    def build(cls, recipes: Sequence[Recipe], reader: Reader) -> "LexicalIndex":
        """Return the index of the recipes; their order numbers the documents."""
        languages = np.array([LANGUAGES.index(recipe.language) for recipe in recipes], dtype=np.int32)
        analyzer = Analyzer()
        terms, term, document, field = all_tokens(recipes, analyzer, reader)
        frequency = field_frequencies(document, field, languages)
        pairs, pair_of_token = np.unique(term.astype(np.int64) * len(recipes) + document, return_inverse=True)
        pair_frequency = np.bincount(pair_of_token, weights=frequency, minlength=len(pairs))
        in_name = np.zeros(len(pairs), dtype=bool)
        in_name[pair_of_token[np.isin(field, NAME_FIELDS)]] = True
        pair_term, pair_document = np.divmod(pairs, max(len(recipes), 1))
        counts = np.bincount(pair_term, minlength=len(terms))
        language_counts = np.bincount(languages, minlength=len(LANGUAGES)).astype(np.int32)
        totals = np.array([total_of(name, language_counts) for name in terms], dtype=np.int32)
        weights = rarity(counts, totals)[pair_term] * pair_frequency * (K1 + 1) / (K1 + pair_frequency)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return cls(
            terms,
            starts,
            pair_document.astype(np.int32),
            weights.astype(np.float32),
            in_name,
            np.bincount(document[field == FIELDS["name"]], minlength=len(recipes)).astype(np.int32),
            language_counts,
            [analyzer.memo[language] for language in LANGUAGES],
        )

    def scores(self, units: Collection[Unit], lean: float) -> Scores:
        """Return how well each recipe fits what is asked for, by the words or the concept of each unit.

        The score counts by the share of units that the recipe has: else one rare word outweighs the others.
        lean: of the request's language, from -1 (English) to 1 (Spanish).
        """
        scores, matched, named = (np.zeros(self.size, dtype=np.float32) for _ in range(3))
        for unit in units:
            score, share, in_name = self.unit_scores(unit, lean)
            scores += score
            matched += share
            named += in_name * np.float32(max(len(unit.words), 1))
        shares = matched / np.float32(max(len(units), 1))
        asked = np.float32(sum(max(len(unit.words), 1) for unit in units))
        # Of a concept's one name in another language we do not know how long it is: at most as long as the name.
        lengths = self.name_lengths.astype(np.float32)
        in_common = np.minimum(named, lengths)
        return Scores(scores * shares, shares, np.float32(2) * in_common / np.maximum(asked + lengths, np.float32(1)))

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
        return score, np.minimum(share, one), np.minimum(in_name, one)

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

    def knows_any(self, words: Iterable[str]) -> bool:
        """Whether some recipe holds one of the words."""
        return any(self.number(word, language) is not None for word in words for language in LANGUAGES)

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


def all_tokens(
    recipes: Sequence[Recipe], analyzer: Analyzer, reader: Reader
) -> tuple[list[str], IntArray, IntArray, IntArray]:
    """Return the terms, and for each token of the recipes its term, document and field: three arrays of one length."""
    numbers: dict[str, int] = {}
    found = [
        (numbers.setdefault(term, len(numbers)), document, field)
        for document, recipe in enumerate(recipes)
        for term, field in (*stem_terms(recipe, analyzer), *concept_terms(recipe, reader))
    ]
    columns = np.array(found, dtype=np.int32).reshape(-1, 3).T
    return list(numbers), columns[0], columns[1], columns[2]


def stem_terms(recipe: Recipe, analyzer: Analyzer) -> Iterator[tuple[str, int]]:
    """Yield each stem of the recipe with its field."""
    prefix = f"{recipe.language}:"
    for field, text in enumerate(field_texts(recipe)):
        for stem in analyzer.stems(text, recipe.language):
            yield prefix + stem, field


def concept_terms(recipe: Recipe, reader: Reader) -> Iterator[tuple[str, int]]:
    """Yield each concept of the recipe's name, labels and ingredients with its field, and what it is a kind of."""
    kinds_of = reader.lexicon.kinds_of
    for field, text in zip(CONCEPT_FIELDS, field_texts(recipe), strict=False):
        lines = recipe.ingredients if field == "ingredient" else [text]
        for line in lines:
            for mention in reader.mentions(line, recipe.language):
                yield CONCEPT + mention.concept, FIELDS[f"{field}_concepts"]
                kinds = "name_kinds" if field == "name" else "ingredient_kinds"
                for kind in kinds_of[mention.concept] - {mention.concept}:
                    yield CONCEPT + kind, FIELDS[kinds]


def field_frequencies(document: IntArray, field: IntArray, languages: IntArray) -> NDArray[np.float64]:
    """Return what each token adds to its term's frequency: its field's weight, less in fields longer than usual.

    Lengths are compared within a language, whose sources write at their own length.
    """
    fields = len(FIELD_WEIGHTS)
    lengths = np.bincount(document * fields + field, minlength=len(languages) * fields).reshape(-1, fields)
    usual = np.ones((len(LANGUAGES), fields))
    for language in np.unique(languages):
        usual[language] = np.maximum(lengths[languages == language].mean(axis=0), 1e-9)
    norms = 1 - B + B * lengths / usual[languages]
    return np.array(list(FIELD_WEIGHTS.values()))[field] / norms[document, field]
