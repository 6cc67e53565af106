"""The text of one cell, whatever its type was, in characters that a database can hold."""

from __future__ import annotations

import json
import math
import re
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter


class CellRepair(StrEnum):
    """What was mended in cells and paths while a catalogue was read."""

    #: PostgreSQL stores no NUL.
    NUL = "NUL characters removed"
    #: Half of a pair of UTF-16 units, which no encoding can store.
    SURROGATE = "lone surrogates replaced"
    #: An Excel formula that was saved without its value.
    FORMULA = "formulas without a value, read as empty"
    #: `#N/A` and its like.
    EXCEL_ERROR = "error values of Excel, read as empty"
    #: A number beyond the names of a `ClassLabel`.
    LABEL = "labels that have no name, read as empty"
    #: Often a comma that should stand in quotes: the cells after it are one place off.
    SURPLUS = "rows with more cells than columns, the surplus kept"
    #: A path with `%20`, where the decoded name is there and the written one is not.
    PERCENT = "percent-encoded paths decoded"
    #: An absolute path or a `file://` URL inside the image root.
    ABSOLUTE = "absolute paths made relative to the image root"


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BLANKS = " \t\r\n"


def clean_cell(cell: str, repairs: Counter[str]) -> str:
    """The cell without blanks around it and without characters that no database stores; what was mended is counted."""
    if not cell.isascii() or "\0" in cell:
        cell = storable(cell, repairs)
    return cell.strip(_BLANKS)


def storable(text: str, repairs: Counter[str]) -> str:
    """The text without NULs and lone surrogates; pairs of surrogates become the character that they spell."""
    if _UNSTORABLE.search(text) is None:
        return text
    if "\0" in text:
        repairs[CellRepair.NUL] += text.count("\0")
        text = text.replace("\0", "")
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    repairs[CellRepair.SURROGATE] += paired.count("\ufffd") - text.count("\ufffd")
    return paired


def cell_text(value: object) -> str:
    """A value of JSON, Excel or Arrow as a cell of a CSV: lists and objects as JSON, whole numbers without a point, nothing as empty."""
    match value:
        case None:
            text = ""
        case float():
            text = _number(value)
        case datetime() if value.time() == time.min:
            text = value.date().isoformat()
        case datetime() | date() | time():
            text = value.isoformat()
        case list() | tuple() | dict():
            text = json.dumps(value, ensure_ascii=False, default=str) if value else ""
        case _:
            text = str(value)
    return text


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
