"""Word forms brought to one key, so that plurals match: Spanish and English nouns. Floor 3.

A key keeps what a stemmer loses: "pimienta" (pepper) and "pimiento" (bell pepper) differ.
"""

from functools import lru_cache

from recsys.recommender.text import words

# Words that only tie a name together: "aceite de oliva" is "aceite oliva", as cooks write it too.
LINK_WORDS = {"es": "de del la el las los lo al a un una unos unas", "en": "of the a an"}
LINKS = {language: frozenset(words.split()) for language, words in LINK_WORDS.items()}
SHORTEST_INFLECTED = 4
KEYS_KEPT = 1 << 17


@lru_cache(KEYS_KEPT)
def word_key(word: str, language: str) -> str:
    """Return what the singular and the plural of a folded word share.

    >>> [word_key(word, "es") for word in ("nuez", "nueces", "limon", "limones", "pimienta")]
    ['nuec', 'nuec', 'limon', 'limon', 'pimienta']
    >>> [word_key(word, "en") for word in ("leaf", "leaves", "berry", "berries", "tomatoes")]
    ['leaf', 'leaf', 'berri', 'berri', 'tomato']
    """
    return spanish_key(word) if language == "es" else english_key(word)


def spanish_key(word: str) -> str:
    if len(word) >= SHORTEST_INFLECTED and word.endswith("s"):
        word = word[:-1]
    if len(word) >= SHORTEST_INFLECTED and word.endswith("e"):
        word = word[:-1]
    return f"{word[:-1]}c" if word.endswith("z") else word


def english_key(word: str) -> str:
    word = word.removesuffix("'s")
    if len(word) >= SHORTEST_INFLECTED and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("y"):
        return f"{word[:-1]}i"
    if word.endswith("ie"):
        return word[:-1]
    if len(word) >= SHORTEST_INFLECTED and word.endswith("e"):
        word = word[:-1]
    return f"{word[:-1]}f" if word.endswith("v") else word


def phrase_keys(text: str, language: str) -> tuple[str, ...]:
    """Return the keys of a text's words, less the words that only tie it together."""
    links = LINKS[language]
    return tuple(word_key(word, language) for word in words(text) if word not in links)
