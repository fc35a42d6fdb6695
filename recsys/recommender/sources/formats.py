"""Which format a file of recipes is in, told from its content, and its reading. Floor 3."""

import csv
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from events.catalog import Recipe
from recsys.recommender.errors import InvalidField, UnreadableSource
from recsys.recommender.sources import abuela, foodcom, plain, records, schema_org, wikibooks
from recsys.recommender.sources.records import Problem, Record

HEAD_BYTES = 1 << 20
LINES_LOOKED_AT = 20
EXPECTED = (
    "JSON Lines with name, ingredients and steps; a CSV with Nombre, Ingredientes, Pasos (RecetasDeLaAbuela) or of "
    "Food.com (RAW_recipes.csv, recipes.csv); schema.org/Recipe as JSON-LD or in a page; the Wikibooks wheel"
)
CSV_SCHEMAS: tuple[tuple[frozenset[str], Callable[[dict[str, Any]], Recipe]], ...] = (
    (abuela.COLUMNS, abuela.recipe),
    (foodcom.COLUMNS, foodcom.recipe),
    (foodcom.RAW_COLUMNS, foodcom.raw_recipe),
)

Row = tuple[int, Recipe] | Problem


def read_source(path: Path) -> Iterator[Row]:
    """Yield the recipes of a file, with their lines, and the problems of those that are skipped, in the file's order.

    A recipe's id is the slug of its id or name in the source, not yet unique. Raises UnreadableSource, at once or where
    the file turns out to be cut short.
    """
    head = records.read_head(path, HEAD_BYTES)
    reader = reader_of(head)
    try:
        with records.open_source(path) as stream:
            yield from reader(stream)
    except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:
        raise UnreadableSource(f"cannot read {path} to its end: {error}") from error


def reader_of(head: bytes) -> Callable[[IO[bytes]], Iterator[Row]]:
    """Return the reader for a file that begins so: a page, JSON Lines, a JSON document or a CSV."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return page_rows
    if start != b"[" and has_json_lines(head):
        return line_rows
    return document_rows if start in (b"{", b"[") else partial(table_rows, head=head)


def has_json_lines(head: bytes) -> bool:
    """Whether there are several lines, and among the first a whole JSON object: the first may be the damaged one."""
    lines = [line for line in head.split(b"\n", LINES_LOOKED_AT) if line.strip()]
    return len(lines) > 1 and any(isinstance(records.json_record(line, 0), Record) for line in lines)


def page_rows(stream: IO[bytes]) -> Iterator[Row]:
    return recipes_of(page_records(records.html_scripts(stream)), schema_org.recipe)


def line_rows(stream: IO[bytes]) -> Iterator[Row]:
    return recipes_of(records.json_lines(stream), json_recipe)


def document_rows(stream: IO[bytes]) -> Iterator[Row]:
    return recipes_of(document_records(records.json_document(stream)), json_recipe)


def table_rows(stream: IO[bytes], *, head: bytes) -> Iterator[Row]:
    encoding = records.text_encoding(head)
    return recipes_of(records.csv_rows(stream, encoding), csv_schema(head.decode(encoding, errors="replace")))


def csv_schema(head: str) -> Callable[[dict[str, Any]], Recipe]:
    """Return how to read the rows of a CSV with this header. Raises UnreadableSource."""
    header = head.lstrip("\ufeff").split("\n", 1)[0]
    columns = records.csv_columns(header)
    for required, recipe in CSV_SCHEMAS:
        if required <= set(columns):
            return recipe
    raise UnreadableSource(f"the file begins with {header[:80]!r}; known formats are: {EXPECTED}")


def document_records(document: Any) -> Iterator[Record | Problem]:
    """Yield the recipes of a JSON document: JSON-LD, the Wikibooks' pages, a list of recipes, or one."""
    for number, node in enumerate(document_nodes(document), 1):
        if isinstance(node, dict):
            yield Record(number, node)
        else:
            yield Problem(line=number, field="", reason=f"expected a JSON object, found {type(node).__name__}")


def document_nodes(document: Any) -> list[Any]:
    nodes = list(schema_org.recipe_nodes(document))
    if nodes or isinstance(document, list):
        return nodes or document
    if not isinstance(document, dict) or "ingredients" in document:
        return [document]
    return [page for key, page in document.items() if wikibooks.is_page(key)]


def page_records(scripts: list[str]) -> Iterator[Record | Problem]:
    nodes: list[dict[str, Any]] = []
    for number, script in enumerate(scripts, 1):
        try:
            nodes += schema_org.recipe_nodes(records.parse_json(script))
        except UnreadableSource as error:
            yield Problem(line=number, field="", reason=str(error))
    for number, node in enumerate(nodes, 1):
        yield Record(number, node)


def json_recipe(record: dict[str, Any]) -> Recipe:
    """Return the recipe of a JSON object, by its keys. Raises InvalidField."""
    if "@type" in record:
        return schema_org.recipe(record)
    return wikibooks.recipe(record) if "category" in record and "difficulty" in record else plain.recipe(record)


def recipes_of(found: Iterable[Record | Problem], recipe: Callable[[dict[str, Any]], Recipe]) -> Iterator[Row]:
    for record in found:
        if isinstance(record, Problem):
            yield record
            continue
        try:
            yield record.line, recipe(record.fields)
        except InvalidField as error:
            yield Problem(line=record.line, field=error.field, reason=error.reason)
