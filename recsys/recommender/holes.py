"""The lexicon's holes: words of recipes and requests that it does not know, most frequent first. Floor 3; run by hand.

    python -m recsys.recommender.holes recsys/data/recipes_es.jsonl .venv/share/recipes/*.whl requests.txt

A .txt file holds requests, one a line; any other is a source of recipes, of which names and ingredients are read.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from recsys.recommender.contents import by_preference
from recsys.recommender.lexicon import Lexicon, shipped_lexicon
from recsys.recommender.sources import Problem, read_source
from recsys.recommender.text import ALL_STOP_WORDS, guess_language, tokens

SHOWN = 100
# Kitchen words that name no concept: shapes, states and amounts around the food.
NOT_CONCEPTS = frozenset(
    """
    aprox aproximadamente fresco fresca frescos frescas grande grandes mediano mediana medianos medianas pequeno pequena
    pequenos pequenas maduro maduros madura maduras gusto opcional entero entera enteros enteras bien mas trozo trozos
    tipo molida molido seco seca limpio limpia limpios suave extra bote lata taza tazas cucharada cucharadas
    fresh large medium small chopped finely sliced taste optional whole ground dried ripe peeled cut plus each needed
    thinly roughly freshly pieces piece cubed grated minced diced crushed cooked packed softened melted room
    temperature divided about inch thick style
    """.split()  # noqa: SIM905 - a list of words to read
)


def holes(texts: Iterable[tuple[str, str]], lexicon: Lexicon) -> Counter[str]:
    """Return the words in (text, language) pairs that no concept covers, with the number of their places."""
    found: Counter[str] = Counter()
    for text, language in texts:
        row = tokens(text)
        mentions = lexicon.mentions([token.word for token in row], by_preference(language))
        covered = {place for mention in mentions for place in range(mention.start, mention.end)}
        found.update(
            token.word
            for place, token in enumerate(row)
            if place not in covered and token.word.isalpha() and token.word not in ALL_STOP_WORDS | NOT_CONCEPTS
        )
    return found


def texts_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the requests of a .txt file, or the names and ingredients of recipes, each with its language."""
    if path.suffix == ".txt":
        yield from ((line, guess_language(line)) for line in path.read_text().splitlines())
        return
    for row in read_source(path):
        if not isinstance(row, Problem):
            recipe = row[1]
            yield from ((text, recipe.language) for text in (recipe.name, *recipe.ingredients))


if __name__ == "__main__":
    texts = (text for name in sys.argv[1:] for text in texts_of(Path(name)))
    for word, count in holes(texts, shipped_lexicon()).most_common(SHOWN):
        print(f"{count:6} {word}")
