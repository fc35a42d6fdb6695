"""The lexicon that cooks edit holds no contradictions, and says what contains what."""

from collections import Counter
from pathlib import Path

import pytest

from recsys.recommender.contents import Reader
from recsys.recommender.errors import InvalidLexicon
from recsys.recommender.lexicon import Lexicon, shipped_lexicon
from recsys.recommender.text import words
from recsys.recommender.wordforms import word_key

HEADER = "concept,kind,es,en,is_a,contains,evokes\n"
HOLDS = [
    ("mayonesa", "egg"),
    ("all-purpose flour", "gluten"),
    ("100 g de pan rallado", "gluten"),
    ("soy sauce", "gluten"),
    ("Worcestershire sauce", "fish"),
    ("queso manchego", "milk"),
    ("1 cup half-and-half", "dairy"),
    ("jamón serrano", "pork"),
    ("boquerones", "fish"),
    ("pesto", "nut"),
    ("tahini", "sesame"),
    ("caldo de pollo", "meat"),
    ("cebolletas", "onion"),
    ("beer", "gluten"),
    ("hojas de gelatina", "animal"),
    ("butter or vegan margarine", "dairy"),
    ("lactose-free milk", "dairy"),
    ("queso crema sin lactosa", "dairy"),
    ("½ cup reduced-fat sour cream", "dairy"),
    ("tomates verdes", "tomato"),
    ("mantequilla de cacahuete", "peanut"),
    ("egg noodles", "egg"),
    ("bizcochos de soletilla", "egg"),
]
HOLDS_NOT = [
    ("leche de coco", "dairy"),
    ("harina de maíz", "gluten"),
    ("harina de almendra", "gluten"),
    ("1 butternut squash", "nut"),
    ("1 butternut squash", "dairy"),
    ("2 eggplants", "egg"),
    ("peanut butter", "dairy"),
    ("cream of tartar", "dairy"),
    ("nuez moscada", "nut"),
    ("ground nutmeg", "nut"),
    ("caldo vegetal", "meat"),
    ("gluten-free flour", "gluten"),
    ("harina sin gluten", "gluten"),
    ("vegan butter", "animal"),
    ("egg-free mayonnaise", "egg"),
    ("lactose-free milk", "lactose"),
    ("rice noodles", "gluten"),
    ("trigo sarraceno", "gluten"),
    ("oyster mushrooms", "seafood"),
    ("beefsteak tomatoes", "meat"),
    ("water chestnuts", "nut"),
    ("carne de membrillo", "meat"),
    ("artichoke hearts", "meat"),
    ("ginger ale", "alcohol"),
    ("oil for the pan", "gluten"),
    ("spaghetti squash", "gluten"),
    ("leche de almendras", "dairy"),
    ("butter beans", "dairy"),
]


def language_of(line: str) -> str:
    spanish = {
        "de",
        "mayonesa",
        "vegetal",
        "sin",
        "nuez",
        "queso",
        "jamon",
        "boquerones",
        "cebolletas",
        "trigo",
        "tomates",
    }
    return "es" if spanish & set(words(line)) else "en"


def test_every_reference_leads_somewhere() -> None:
    """No concept has an unknown parent or itself for one, and no name stands for two concepts."""
    assert shipped_lexicon().problems() == []


def test_there_is_enough_of_it() -> None:
    """At least 1,500 concepts of every kind, each with a name in both languages."""
    kinds = Counter(concept.kind for concept in shipped_lexicon().concepts.values())
    assert sum(kinds.values()) >= 1_500
    assert min(count for kind, count in kinds.items() if kind not in ("course", "filler")) >= 20


@pytest.mark.parametrize(
    ("spanish", "concept"),
    [
        ("palta", "avocado"),
        ("papas", "potato"),
        ("PIÑAS", "pineapple"),
        ("choclos", "corn"),
        ("jitomates", "tomato"),
        ("nueces", "walnut"),
        ("aceite oliva", "olive_oil"),
        ("veganas", "vegan"),
        ("berengena", "eggplant"),
    ],
)
def test_names_are_found_in_all_their_forms(spanish: str, concept: str) -> None:
    """Latin American names, plurals, genders, capitals, missing links and usual misspellings."""
    assert [found.concept for found in shipped_lexicon().mentions(words(spanish), ["es"])] == [concept]


@pytest.mark.parametrize(("line", "concept"), HOLDS)
def test_what_contains_what(line: str, concept: str) -> None:
    """An ingredient that contains something, or may, counts as it."""
    assert concept in Reader(shipped_lexicon()).implied(line, language_of(line))


@pytest.mark.parametrize(("line", "concept"), HOLDS_NOT)
def test_names_that_only_sound_like_it_are_free(line: str, concept: str) -> None:
    """Coconut milk is no dairy, an eggplant no egg, and gluten-free flour holds no gluten."""
    assert concept not in Reader(shipped_lexicon()).implied(line, language_of(line))


def test_word_keys_keep_different_foods_apart() -> None:
    """Pepper and bell pepper, paste and pasta: a stemmer would mix them up."""
    assert word_key("pimienta", "es") != word_key("pimiento", "es")
    assert word_key("paste", "en") != word_key("pasta", "en")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("egg,ingredient,huevo,egg", "found 4 columns"),
        ("egg,food,huevo,egg,,,", "food"),
        ("egg,ingredient,huevo,,,,", "a name in Spanish and in English"),
        ("egg,ingredient,huevo,egg,,,\negg,ingredient,huevo,egg,,,", "stands there already"),
    ],
)
def test_a_slip_of_the_pen_is_named_with_its_line(tmp_path: Path, lines: str, reason: str) -> None:
    """A line that cannot be read says which one it is, and why."""
    path = tmp_path / "lexicon.csv"
    path.write_text(f"{HEADER}{lines}\n")
    with pytest.raises(InvalidLexicon, match=rf"line \d: .*{reason}"):
        Lexicon.read(path)
