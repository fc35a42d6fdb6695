"""The same omelette in each format that is known, told by its content."""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from events.catalog import Recipe
from recsys.recommender.errors import UnreadableSource
from recsys.recommender.sources import Problem, read_source

FOODS = ["6 huevos", "600 g de patatas"]
STEPS = ["Pelar y freír las patatas.", "Cuajar con los huevos."]
PLAIN = {"id": "tortilla", "name": "Tortilla", "language": "es", "ingredients": FOODS, "steps": STEPS, "minutes": 45}
SCHEMA_ORG = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebSite", "name": "Cocina"},
        {
            "@type": ["Recipe", "NewsArticle"],
            "name": "Tortilla",
            "inLanguage": "es-ES",
            "recipeIngredient": FOODS,
            "recipeInstructions": [
                {"@type": "HowToSection", "itemListElement": [{"@type": "HowToStep", "text": STEPS[0]}]},
                {"@type": "HowToStep", "text": f"2. {STEPS[1]}"},
            ],
            "prepTime": "PT15M",
            "cookTime": "PT30M",
            "author": {"@type": "Person", "name": "Ana"},
        },
    ],
}
WIKIBOOKS = {
    "Cookbook:Tortilla": {
        "title": "Tortilla",
        "category": "Egg recipes",
        "servings": "4–6",
        "time": "45 minutes",
        "difficulty": "2",
        "ingredients": ["''6'' eggs", "", "600&nbsp;g potatoes"],
        "steps": ["thumb|The panPeel and fry.<ref name='x'>no</ref>", "*Add the [[Cookbook:Egg|eggs]]."],
    },
    "Cookbook:Policy/Template": {"title": "x", "category": None, "difficulty": None, "ingredients": [], "steps": []},
}


def table(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


ABUELA = {
    "Pasos": f"1 {STEPS[0]} 2 {STEPS[1]}",
    "Nombre": "tortilla",
    "Ingredientes": " ".join(FOODS),
    "Duracion": "45 minutos",
}
RAW = {
    "name": "tortilla",
    "id": "17",
    "minutes": "45",
    "tags": "['eggs', 'easy']",
    "steps": str(STEPS),
    "description": "",
    "ingredients": str(FOODS),
}
FOODCOM = {
    "RecipeId": "17",
    "Name": "Tortilla",
    "TotalTime": "PT45M",
    "RecipeIngredientQuantities": 'c("6", "600 g")',
    "RecipeIngredientParts": 'c("huevos", "de patatas")',
    "RecipeInstructions": f'c("{STEPS[0]}", "{STEPS[1]}")',
}
FILES = {
    "lines.jsonl": "\n" + json.dumps(PLAIN) + "\n" + json.dumps({**PLAIN, "id": "otra", "name": "Otra"}),
    "list.txt": json.dumps([PLAIN], indent=1),
    "one.json": json.dumps(PLAIN),
    "abuela.csv": table([ABUELA]),
    "abuela-semicolons.csv": table([ABUELA], delimiter=";"),
    "RAW_recipes.csv": table([RAW]),
    "recipes.csv": table([FOODCOM]),
    "graph.jsonld": json.dumps(SCHEMA_ORG),
    "page.html": f'<!doctype html><script type="application/ld+json">{json.dumps(SCHEMA_ORG)}</script>',
}


def recipes(path: Path) -> list[Recipe]:
    rows = list(read_source(path))
    assert not [row for row in rows if isinstance(row, Problem)]
    return [row[1] for row in rows if not isinstance(row, Problem)]


@pytest.mark.parametrize("name", FILES)
def test_the_omelette_is_in_every_format(tmp_path: Path, name: str) -> None:
    """Name, ingredients, steps and minutes come out the same, whatever they came in."""
    path = tmp_path / name
    path.write_text(FILES[name])
    found = recipes(path)[0]
    assert (found.name, found.ingredients, found.steps, found.minutes) == ("Tortilla", FOODS, STEPS, 45)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_table_may_be_in_the_encodings_of_the_wild(tmp_path: Path, encoding: str) -> None:
    """Accents survive a byte order mark, UTF-16 and Windows-1252."""
    path = tmp_path / "abuela.csv"
    path.write_text(FILES["abuela.csv"], encoding=encoding)
    assert recipes(path)[0].steps == STEPS


def test_gzip_is_looked_into(tmp_path: Path) -> None:
    """A file is unpacked for its content, not for its name."""
    path = tmp_path / "recipes"
    path.write_bytes(gzip.compress(FILES["lines.jsonl"].encode()))
    assert [recipe.name for recipe in recipes(path)] == ["Tortilla", "Otra"]


def test_the_wikibooks_come_from_their_wheel_without_markup(tmp_path: Path) -> None:
    """Pages about the book are left out, and of wiki markup, pictures and empty lines nothing is left."""
    path = tmp_path / "recipes.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("skill/data/recipes_en-us.json", json.dumps(WIKIBOOKS))
        wheel.writestr("skill/data/recipes_de-de.json", "{}")
    (found,) = recipes(path)
    assert found.ingredients == ["6 eggs", "600 g potatoes"]
    assert found.steps == ["Peel and fry.", "Add the eggs."]
    assert (found.minutes, found.servings, found.tags) == (45, 4, ["egg"])
    assert found.credit == "Wikibooks Cookbook, CC BY-SA 4.0"


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"\x1f\x8bno gzip", b"PK\x03\x04no zip", b'{"a": ', b"\xff" * 50]
)
def test_another_file_is_refused_with_what_is_known(tmp_path: Path, content: bytes) -> None:
    """A file in no known format is one clear error, never a traceback of the reader."""
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(UnreadableSource):
        list(read_source(path))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error says which file, and why."""
    with pytest.raises(UnreadableSource, match=r"none\.jsonl"):
        list(read_source(tmp_path / "none.jsonl"))
