"""A fielded BM25 index over Spanish and English recipes, in numpy arrays. Floor 3."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.catalog import Recipe
from recsys.recommender.arrays import FloatArray, IntArray
from recsys.recommender.text import LANGUAGES, Analyzer

FORMAT_VERSION = 2  # of the analysis and the file; another one is built anew
K1 = 1.2
B = 0.75
# Name 2, ingredients 1, steps 0.3 did best on 3,129 real recipes; labels say as much as an ingredient.
FIELD_WEIGHTS = {"name": 2.0, "labels": 1.0, "ingredients": 1.0, "description": 0.5, "steps": 0.3}
# A word also counts in the language that the request is not in: dishes travel under their own names.
OTHER_LANGUAGE_LOSS = 0.4


def field_texts(recipe: Recipe) -> tuple[str, ...]:
    """Return the recipe's texts in the order of FIELD_WEIGHTS."""
    labels = " ".join((*recipe.tags, recipe.course, recipe.cuisine))
    return recipe.name, labels, " ".join(recipe.ingredients), recipe.description, " ".join(recipe.steps)


class LexicalIndex:
    """Which recipes hold which stems, each recipe in its own language. Never changed once built.

    terms: "es:poll" → its number. starts: (terms + 1,); the recipes of term t and their BM25 weights stand in documents
    and weights at starts[t]:starts[t + 1]. language_counts: recipes a language, in the order of LANGUAGES.
    vocabularies: the words of each, unstemmed.
    """

    def __init__(
        self,
        terms: Sequence[str],
        starts: IntArray,
        documents: IntArray,
        weights: FloatArray,
        language_counts: IntArray,
        vocabularies: Sequence[Collection[str]],
    ) -> None:
        self.terms = {term: number for number, term in enumerate(terms)}
        self.starts = starts
        self.documents = documents
        self.weights = weights
        self.language_counts = language_counts
        self.vocabularies = [frozenset(vocabulary) for vocabulary in vocabularies]
        self.size = int(language_counts.sum())
        self.analyzer = Analyzer()

    @classmethod
    def build(cls, recipes: Sequence[Recipe]) -> "LexicalIndex":
        """Return the index of the recipes; their order numbers the documents."""
        languages = np.array([LANGUAGES.index(recipe.language) for recipe in recipes], dtype=np.int32)
        analyzer = Analyzer()
        terms, term, document, field = tokens(recipes, analyzer)
        frequency = field_frequencies(document, field, languages)
        pairs, pair_of_token = np.unique(term.astype(np.int64) * len(recipes) + document, return_inverse=True)
        pair_frequency = np.bincount(pair_of_token, weights=frequency, minlength=len(pairs))
        pair_term, pair_document = np.divmod(pairs, max(len(recipes), 1))
        counts = np.bincount(pair_term, minlength=len(terms))
        language_counts = np.bincount(languages, minlength=len(LANGUAGES)).astype(np.int32)
        totals = language_counts[[LANGUAGES.index(name[:2]) for name in terms]] if terms else counts
        weights = rarity(counts, totals)[pair_term] * pair_frequency * (K1 + 1) / (K1 + pair_frequency)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return cls(
            terms,
            starts,
            pair_document.astype(np.int32),
            weights.astype(np.float32),
            language_counts,
            [analyzer.memo[language] for language in LANGUAGES],
        )

    def scores(self, words: Collection[str], lean: float) -> tuple[FloatArray, FloatArray]:
        """Return each recipe's BM25 score for a request's words, (n,), >= 0, and the share of them that it has, (n,).

        The score counts by that share: else one rare word outweighs the rest of the request.
        lean: of the request's language, from -1 (English) to 1 (Spanish).
        """
        scores = np.zeros(self.size, dtype=np.float32)
        matched = np.zeros(self.size, dtype=np.float32)
        for word in set(words):
            for number, weight in self.term_weights(word, lean):
                at = slice(self.starts[number], self.starts[number + 1])
                scores[self.documents[at]] += np.float32(weight) * self.weights[at]
                matched[self.documents[at]] += 1
        shares = np.minimum(matched / np.float32(max(len(set(words)), 1)), np.float32(1))
        return scores * shares, shares

    def term_weights(self, word: str, lean: float) -> list[tuple[int, float]]:
        """Return the word's term in each language that has it, with its weight in this request.

        The word is as rare as in the language where it is usual: "patatas" says little, however rare in English.
        """
        found = {language: number for language in LANGUAGES if (number := self.number(word, language)) is not None}
        rarity = {language: self.rarity(number, language) for language, number in found.items()}
        usual = min(rarity.values(), default=0.0)
        return [(found[name], language_weight(name, lean) * usual / rarity[name]) for name in found]

    def knows_any(self, words: Iterable[str]) -> bool:
        """Whether some recipe holds one of the words."""
        return any(self.number(word, language) is not None for word in words for language in LANGUAGES)

    def number(self, word: str, language: str) -> int | None:
        return next((self.terms.get(f"{language}:{stem}") for stem in self.analyzer.stems(word, language)), None)

    def rarity(self, number: int, language: str) -> float:
        count = int(self.starts[number + 1] - self.starts[number])
        return float(rarity(count, int(self.language_counts[LANGUAGES.index(language)])))

    def spanish_lean(self, words: Collection[str]) -> float:
        """Return the votes of the words for Spanish, less those for English: up to 1 a word, by where it is usual."""
        return sum(self.spanish_vote(word) for word in set(words))

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
        number = self.number(word, language)
        count = 0 if number is None else int(self.starts[number + 1] - self.starts[number])
        return count / max(int(self.language_counts[LANGUAGES.index(language)]), 1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the index as arrays, for a file."""
        return {
            "terms": packed(self.terms),
            "spanish": packed(sorted(self.vocabularies[0])),
            "english": packed(sorted(self.vocabularies[1])),
            "starts": self.starts,
            "documents": self.documents,
            "weights": self.weights,
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
            arrays["language_counts"],
            [unpacked(arrays["spanish"]), unpacked(arrays["english"])],
        )


def packed(words: Iterable[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def unpacked(array: NDArray[np.uint8]) -> list[str]:
    return array.tobytes().decode().split("\n")


def rarity(counts: Any, totals: Any) -> Any:
    """Return BM25's inverse document frequency of terms in `counts` of `totals` documents; of numbers or arrays."""
    return np.log1p((totals - counts + 0.5) / (counts + 0.5))


def language_weight(language: str, lean: float) -> float:
    """Return what a match in that language counts for a request of that lean: 1 in its own."""
    against = -lean if language == "es" else lean
    return 1 - OTHER_LANGUAGE_LOSS * max(against, 0.0)


def tokens(recipes: Sequence[Recipe], analyzer: Analyzer) -> tuple[list[str], IntArray, IntArray, IntArray]:
    """Return the terms, and for each stem in the recipes its term, document and field: three arrays of one length."""
    numbers: dict[str, int] = {}
    found = [
        (numbers.setdefault(term, len(numbers)), document, field)
        for term, document, field in document_terms(recipes, analyzer)
    ]
    columns = np.array(found, dtype=np.int32).reshape(-1, 3).T
    return list(numbers), columns[0], columns[1], columns[2]


def document_terms(recipes: Sequence[Recipe], analyzer: Analyzer) -> Iterator[tuple[str, int, int]]:
    for document, recipe in enumerate(recipes):
        prefix = f"{recipe.language}:"
        for field, text in enumerate(field_texts(recipe)):
            for stem in analyzer.stems(text, recipe.language):
                yield prefix + stem, document, field


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
