"""The words of the shipped recipes and of real requests are in the lexicon, but for a few; those are shown."""

from recsys.recommender.holes import holes, texts_of
from recsys.recommender.lexicon import shipped_lexicon
from recsys.recommender.text import ALL_STOP_WORDS, words
from tests.recommender.harness import SPANISH_RECIPES

# What people ask for, as facts: the dishes that a popular Spanish site lists as most searched.
REQUESTS = """
paella valenciana|gazpacho andaluz|cocido madrileño|fabada asturiana|pisto manchego|patatas a la riojana|calçots|kebab
sushi|pizza|tortilla de patatas|caipirinha|porra antequerana|buñuelos de bacalao|quiche|recetas de pollo|bizcocho
recetas de garbanzos|recetas de solomillo|recetas de salmón|croquetas|tarta de queso|tortitas|crepes|panellets
chimichurri|ceviche|arepas|empanadas|guacamole|ajiaco|sancocho|feijoada|pupusas|chilaquiles|mole|lomo saltado
"""
HOLES_MAX = 0.05  # of the words that are no stop words


def test_few_words_are_unknown() -> None:
    """Of a hundred words in recipes at most five name nothing in the lexicon."""
    texts = list(texts_of(SPANISH_RECIPES))
    all_words = sum(word not in ALL_STOP_WORDS for text, _ in texts for word in words(text))
    found = holes(texts, shipped_lexicon())
    assert found.total() <= HOLES_MAX * all_words, found.most_common(50)


def test_popular_requests_are_known() -> None:
    """Of the dishes that people ask for, every word is part of a concept."""
    found = holes(((line, "es") for line in REQUESTS.replace("\n", "|").split("|")), shipped_lexicon())
    assert not found, found.most_common()
