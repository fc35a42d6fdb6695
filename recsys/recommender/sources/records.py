"""The containers that recipe files come in: JSON Lines, CSV, JSON and HTML, as records with their lines. Floor 3.

A damaged record is a Problem, and the reading goes on behind it.
"""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Any

import msgspec

from recsys.recommender.errors import UnreadableSource

LINE_BYTES_MAX = 1_000_000  # a recipe takes a few kB; beyond this a line is damage
DOCUMENT_BYTES_MAX = 500_000_000  # a JSON document is read whole
WHEEL_MEMBER = "data/recipes_en-us.json"
DECLARED_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class Problem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a record was skipped. line: of the file, from 1; in a document the record's number. field: "" if unknown."""

    line: int
    field: str
    reason: str


class Record(msgspec.Struct, frozen=True, gc=False):
    """One recipe as the file holds it: field → value, undecided."""

    line: int
    fields: dict[str, Any]


def open_source(path: Path) -> IO[bytes]:
    """Open a file for reading; of a gzip its content, of a zip or wheel its recipes. Raises UnreadableSource."""
    try:
        with path.open("rb") as file:
            mark = file.read(4)
        if mark[:2] == b"\x1f\x8b":
            return io.BufferedReader(gzip.open(path, "rb"))
        return open_member(path) if mark == b"PK\x03\x04" else path.open("rb")
    except (OSError, zipfile.BadZipFile) as error:
        raise UnreadableSource(f"cannot open {path}: {error}") from error


def open_member(path: Path) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    names = [name for name in archive.namelist() if name.endswith((".json", ".jsonl", ".csv"))]
    wanted = [name for name in names if name.endswith(WHEEL_MEMBER)] or names
    if len(wanted) != 1:
        raise UnreadableSource(f"{path} holds {len(wanted)} files of recipes: unpack it and import them one by one")
    return archive.open(wanted[0])


def read_head(path: Path, size: int) -> bytes:
    """Return the first `size` bytes of the content. Raises UnreadableSource."""
    try:
        with open_source(path) as stream:
            return stream.read(size)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise UnreadableSource(f"cannot read {path}: {error}") from error


def text_encoding(head: bytes) -> str:
    """Return the encoding of a text by its mark, else UTF-8 if it is that, else Windows-1252, the usual other."""
    for mark, encoding in DECLARED_MARKS.items():
        if head.startswith(mark):
            return encoding
    try:
        head[: head.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def json_lines(stream: IO[bytes]) -> Iterator[Record | Problem]:
    """Yield the objects of JSON Lines. A line over 1 MB is skipped in bounded memory."""
    number = 0
    while line := stream.readline(LINE_BYTES_MAX):
        number += 1
        if len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
            skip_line(stream)
            yield Problem(line=number, field="", reason=f"the line is longer than {LINE_BYTES_MAX} bytes")
        elif line.strip():
            yield json_record(line.removeprefix(b"\xef\xbb\xbf"), number)


def skip_line(stream: IO[bytes]) -> None:
    while (rest := stream.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
        pass


def json_record(line: bytes, number: int) -> Record | Problem:
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Problem(line=number, field="", reason=f"the line is no JSON: {error}")
    if not isinstance(fields, dict):
        return Problem(line=number, field="", reason=f"the line holds {type(fields).__name__}, not a JSON object")
    return Record(number, fields)


def csv_rows(stream: IO[bytes], encoding: str) -> Iterator[Record | Problem]:
    """Yield the rows of a CSV with a header; names of columns in lower case, the lines as in the file."""
    csv.field_size_limit(LINE_BYTES_MAX)
    with io.TextIOWrapper(stream, encoding, errors="replace", newline="") as text:
        header = text.readline(LINE_BYTES_MAX)
        delimiter = likely_delimiter(header)
        columns = csv_columns(header)
        rows = csv.reader(text, delimiter=delimiter)
        while True:
            line = rows.line_num + 2
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Problem(line=line, field="", reason=f"the row is no CSV: {error}")
                continue
            if row is None:
                return
            if row:
                yield csv_record(columns, row, line)


def likely_delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def csv_columns(header: str) -> list[str]:
    """Return the names of the columns, in lower case."""
    rows = csv.reader(header.splitlines()[:1], delimiter=likely_delimiter(header))
    return [column.strip().lower() for column in next(rows, [])]


def csv_record(columns: list[str], row: list[str], line: int) -> Record | Problem:
    if len(row) != len(columns):
        return Problem(line=line, field="", reason=f"the row has {len(row)} columns, the header {len(columns)}")
    return Record(line, dict(zip(columns, row, strict=True)))


def json_document(stream: IO[bytes]) -> Any:
    """Return a whole JSON document. Raises UnreadableSource."""
    return parse_json(read_document(stream))


def read_document(stream: IO[bytes]) -> str:
    content = stream.read(DOCUMENT_BYTES_MAX + 1)
    if len(content) > DOCUMENT_BYTES_MAX:
        raise UnreadableSource(f"a document over {DOCUMENT_BYTES_MAX} bytes: store it as JSON Lines, one recipe a line")
    return content.decode(text_encoding(content), errors="replace")


def parse_json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)  # pages in the wild have raw newlines inside their strings
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(f"no JSON: {error}") from error


def html_scripts(stream: IO[bytes]) -> list[str]:
    """Return the texts of the page's <script type="application/ld+json"> elements."""
    collector = ScriptCollector()
    collector.feed(read_document(stream))
    return collector.scripts


class ScriptCollector(HTMLParser):
    """Collects the JSON-LD scripts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and (dict(attrs).get("type") or "").lower().startswith("application/ld+json"):
            self.scripts.append("")
            self.is_inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self.is_inside = False

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            self.scripts[-1] += data
