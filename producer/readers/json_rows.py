"""JSON lines, and JSON files that are one list of objects."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

from producer.readers.cells import cell_text
from producer.readers.columns import USUAL, fold_name
from producer.readers.errors import CatalogueUnreadable
from producer.readers.table import BrokenRow, CatalogueTable, read_table
from producer.readers.text import open_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue

_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
#: Characters of a row that cannot be read which the report shows.
_SHOWN = 80
#: Around the objects of lines: blanks, and what a byte order mark or a crash leaves.
_AROUND = " \t\r\n\ufeff\0"
_TWICE = "a key stands twice in one object: one value would hide the other"


class JsonReader:
    """One object a row; its keys are the columns. A line that is no object is refused, the others are read."""

    name = "JSON rows"

    def accepts(self, path: Path) -> bool:
        """True for .jsonl, .ndjson and .json."""
        return path.is_file() and path.name.casefold().endswith(_SUFFIXES)

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows; the image root is the folder of the file."""
        return read_table(json_table(path), USUAL, columns, names_identify=False)


def json_table(path: Path) -> CatalogueTable:
    """The rows of a JSON file under all keys that any of them has; raises `CatalogueUnreadable`."""
    rows = list(_rows(path))
    names = dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row)
    if rows and not names:
        broken = next(row.reason for row in rows if isinstance(row, BrokenRow))
        raise CatalogueUnreadable(f"{path} has no row that is a JSON object ({broken})")
    cells = [[row.get(name, "") for name in names] if isinstance(row, dict) else row for row in rows]
    return CatalogueTable(path=path, names=list(names), rows=cells)


def object_cells(content: object) -> dict[str, str] | BrokenRow:
    """The cells of one JSON object by folded key, or why it is no row."""
    if isinstance(content, _Doubled):
        return BrokenRow(text=content.key, reason=_TWICE)
    if not isinstance(content, dict):
        return BrokenRow(text=str(content)[:_SHOWN], reason="not a JSON object: a row is written as {...}")
    cells: dict[str, str] = {}
    for key, value in content.items():
        name = fold_name(str(key))
        if name in cells:
            return BrokenRow(text=name, reason=_TWICE)
        cells[name] = cell_text(_plain(value))
    return cells


def load_json(text: str) -> Any:
    """A JSON text; objects with a key that stands twice are told apart. Raises `ValueError`."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class _Doubled(dict[str, Any]):
    """An object in which a key stands twice."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) == len(pairs):
        return content
    doubled = _Doubled(content)
    doubled.key = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
    return doubled


def _plain(value: object) -> object:
    """Nested values without the subclass that marks doubled keys."""
    return dict(value) if isinstance(value, dict) else value


def _rows(path: Path) -> Iterator[dict[str, str] | BrokenRow]:
    with open_text(path) as lines:
        first = next((line for line in lines if line.strip()), "")
        if first.lstrip().startswith("[") or not path.name.casefold().endswith(_LINES):
            rest: Iterable[str] = list(lines)
            if not (_is_object(first) and any(line.strip() for line in rest)):
                yield from _list_rows(path, "".join([first, *rest]))
                return
        else:
            rest = lines
        yield from (_line(line) for line in chain([first], rest) if line.strip(_AROUND))


def _line(line: str) -> dict[str, str] | BrokenRow:
    try:
        return object_cells(load_json(line.strip(_AROUND)))
    except ValueError:
        return BrokenRow(text=line.strip()[:_SHOWN], reason="not JSON, or cut: a row is one object on a line of its own")


def _list_rows(path: Path, text: str) -> Iterator[dict[str, str] | BrokenRow]:
    if not text.strip():
        raise CatalogueUnreadable(f"{path} is empty: write one JSON object a row")
    try:
        content = load_json(text)
    except ValueError as error:
        raise CatalogueUnreadable(f"{path} is not JSON ({_fault(error)}): is the file complete?") from None
    if isinstance(content, dict):
        content = _only_list(path, content)
    if not isinstance(content, list):
        raise CatalogueUnreadable(f"{path} is no list of rows but a single value: write a list of objects")
    yield from (object_cells(one) for one in content)


def _only_list(path: Path, content: Mapping[str, Any]) -> Sequence[Any]:
    """The list of rows in an object such as `{"data": [...]}`, or the object itself where it is the only row."""
    lists = [value for value in content.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) == 1:
        return list(lists[0])
    if not {fold_name(str(key)) for key in content}.isdisjoint(USUAL["path"]) and not any(isinstance(v, dict) for v in content.values()):
        return [content]
    raise CatalogueUnreadable(f'{path} is one JSON object, no list of rows: write a list of objects (pandas: orient="records")')


def _is_object(line: str) -> bool:
    try:
        return isinstance(load_json(line), dict)
    except ValueError:
        return False


def _fault(error: ValueError) -> str:
    return str(error).split("; use sys", maxsplit=1)[0][:_SHOWN]
