"""Plurals and genders of Spanish and English nouns and adjectives, as ingredient lines need them. Floor 3."""

import re

from recsys.recommender.text import fold

# Feminine without ending in -a, -ión, -dad or -ud; masculine in spite of it.
FEMININE = frozenset(
    [
        "ave",
        "base",
        "carne",
        "clase",
        "col",
        "coliflor",
        "flor",
        "fuente",
        "hiel",
        "leche",
        "miel",
        "nieve",
        "nuez",
        "parte",
        "piel",
        "raiz",
        "sal",
        "sangre",
    ]
)
MASCULINE = frozenset({"aroma", "garam", "vodka"})
# What ends the part of a name that takes the plural: "diente(s) de ajo", "chile(s) en polvo".
PREPOSITIONS = frozenset(["a", "al", "con", "de", "del", "en", "para", "por", "sin", "tipo"])
INVARIABLE = frozenset(
    [
        "baby",
        "bonnet",
        "cherry",
        "crema",
        "emmental",
        "espada",
        "feta",
        "graham",
        "guajillo",
        "iceberg",
        "jazmin",
        "kale",
        "macho",
        "mini",
        "ostra",
        "pasilla",
        "pera",
        "scotch",
        "shiitake",
        "york",
    ]
)
ENGLISH_IRREGULAR = {"leaf": "leaves", "loaf": "loaves", "half": "halves", "knife": "knives"}
ENGLISH_UNCHANGED = frozenset(
    ["asparagus", "bass", "cod", "fish", "hibiscus", "salmon", "shrimp", "squid", "trout", "tuna"]
)
ENGLISH_OES = frozenset({"tomato", "potato", "mango", "hero"})
GENDERED, NUMBERED, NUMBERED_ES = "/a", "/s", "/es"
VOWELS = "aeiou"


def spanish_gender(name: str) -> str:
    """Return the likely gender of a Spanish noun phrase by its first word, "m" or "f".

    >>> [spanish_gender(name) for name in ("leche de coco", "tomate", "salazón", "papas")]
    ['f', 'm', 'm', 'f']
    """
    head = fold(name.split()[0])
    singular = head.removesuffix("s") if head not in FEMININE else head
    if head in MASCULINE or singular in MASCULINE:
        return "m"
    is_feminine = head in FEMININE or singular in FEMININE or singular.endswith(("a", "ion", "dad", "tud"))
    return "f" if is_feminine else "m"


def spanish_plural(name: str) -> str:
    """Return a Spanish noun phrase in the plural: its words up to the first preposition.

    >>> [spanish_plural(name) for name in ("diente de ajo", "pimiento rojo", "nuez", "limón", "hoja de maíz")]
    ['dientes de ajo', 'pimientos rojos', 'nueces', 'limones', 'hojas de maíz']
    """
    words = name.split(" ")
    end = next((place for place, word in enumerate(words) if word in PREPOSITIONS), len(words))
    return " ".join([*(plural_word(word, is_head=not place) for place, word in enumerate(words[:end])), *words[end:]])


def plural_word(word: str, *, is_head: bool = True) -> str:
    if not is_head and (fold(word) in INVARIABLE or word[:1].isupper()):
        return word
    if word.endswith("z"):
        return f"{word[:-1]}ces"
    if word[-1] in "aeioué":
        return f"{word}s"
    if word[-1] in "íú":
        return f"{word}es"
    if word[-1] in "sxáó" or not word[-1].isalpha():
        return word if word[-1] in "sx" else f"{word}s"
    for accented, plain in (("ón", "on"), ("ín", "in"), ("án", "an"), ("és", "es"), ("én", "en"), ("ún", "un")):
        if word.endswith(accented):
            return f"{word[:-2]}{plain}es"
    return f"{word}es"


def is_spanish_plural(name: str) -> bool:
    """Whether the first word of a Spanish name stands in the plural.

    >>> is_spanish_plural("fideos de arroz"), is_spanish_plural("anís estrellado")
    (True, False)
    """
    return bool(re.search(r"[aeo]s$", name.split()[0]))


def english_plural(name: str) -> str:
    """Return an English noun phrase in the plural.

    >>> [english_plural(name) for name in ("bay leaf", "cherry tomato", "clove of garlic", "radish", "yolk")]
    ['bay leaves', 'cherry tomatoes', 'cloves of garlic', 'radishes', 'yolks']
    """
    head, link, rest = re.match(r"(.*?)( (?:of|in|with) .*)?$", name).group(1), "", ""  # type: ignore[union-attr]
    rest = name[len(head) :]
    first, _, last = head.rpartition(" ")
    return f"{first} {english_plural_word(last)}{link}{rest}".lstrip()


def english_plural_word(word: str) -> str:
    if word in ENGLISH_UNCHANGED or re.search(r"[^suiy]s$", word):  # "greens", "oats"
        return word
    if word in ENGLISH_IRREGULAR:
        return ENGLISH_IRREGULAR[word]
    if word.endswith("y") and word[-2:-1] not in VOWELS:
        return f"{word[:-1]}ies"
    if word in ENGLISH_OES:
        return f"{word}es"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh", "z")) else f"{word}s"


def agreed(pattern: str, *, gender: str, is_plural: bool) -> str:
    """Return a Spanish modifier as it agrees with a noun; /a, /s and /es mark the words that do.

    >>> agreed("recién molido/a", gender="f", is_plural=False), agreed("muy grande/s", gender="m", is_plural=True)
    ('recién molida', 'muy grandes')
    """
    return " ".join(agreed_word(word, gender=gender, is_plural=is_plural) for word in pattern.split(" "))


def agreed_word(word: str, *, gender: str, is_plural: bool) -> str:
    stem, mark, ending = word.partition("/")
    if not mark:
        return word
    if f"/{ending}" == GENDERED:
        stem = f"{stem.removesuffix('o')}a" if gender == "f" else stem
        ending = "es" if stem[-1] not in "aeo" else "s"
    return f"{stem}{ending}" if is_plural else stem
