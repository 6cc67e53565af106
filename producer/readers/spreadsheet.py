"""Excel: the first sheet with a header that names the images."""

from __future__ import annotations

import warnings
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from producer.readers.cells import CellRepair, cell_text
from producer.readers.columns import USUAL, fold_name, listed_names
from producer.readers.errors import CatalogueUnreadable
from producer.readers.signatures import HEAD_BYTES, foreign_format
from producer.readers.table import CatalogueTable, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue

_SUFFIXES = (".xlsx", ".xlsm")
_ZIP = b"PK"


class SpreadsheetReader:
    """An .xlsx; formulas count with the value that Excel saved beside them."""

    name = "Excel"

    def accepts(self, path: Path) -> bool:
        """True for .xlsx and .xlsm."""
        return path.is_file() and path.name.casefold().endswith(_SUFFIXES)

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All rows of the sheet; the image root is the folder of the file."""
        _check_format(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of what it leaves out: charts, validation, styles
            try:
                sheet = _find_sheet(path, columns)
                return read_table(sheet.table(path), USUAL, columns, names_identify=False)
            except CatalogueUnreadable:
                raise
            except _BROKEN as error:
                raise CatalogueUnreadable(f"{path} is a broken Excel file ({_fault(error)}): save it again as .xlsx or CSV") from None


#: What openpyxl raises for files that are cut or were not written by a spreadsheet: it looks for parts without asking.
_BROKEN = (
    BadZipFile,
    zlib.error,
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    SyntaxError,
    EOFError,
    AssertionError,
)


@dataclass(kw_only=True)
class _Sheet:
    names: list[str]
    values: list[Sequence[Any]]
    formulas: list[Sequence[Any]]
    repairs: Counter[str] = field(default_factory=Counter)

    def table(self, path: Path) -> CatalogueTable:
        return CatalogueTable(path=path, names=self.names, rows=list(self._rows()), repairs=self.repairs)

    def _rows(self) -> Iterator[list[str]]:
        width = len(self.names)
        for values, written in zip(self.values, self.formulas, strict=True):
            cells = [self._cell(value, formula) for value, formula in zip(values, written, strict=True)]
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if any(cells):
                yield cells

    def _cell(self, value: Any, formula: Any) -> str:
        if formula.data_type == "f" and value.value is None:
            self.repairs[CellRepair.FORMULA] += 1
            return ""
        if value.data_type == "e":
            self.repairs[CellRepair.EXCEL_ERROR] += 1
            return ""
        return cell_text(value.value)


def _check_format(path: Path) -> None:
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise CatalogueUnreadable("Excel files are read with openpyxl: pip install 'paragone[data]', or save it as CSV") from None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise CatalogueUnreadable(f"{path} cannot be read ({error.strerror}): check its permissions") from None
    if not head:
        raise CatalogueUnreadable(f"{path} is empty: save it again")
    if not head.startswith(_ZIP):
        raise CatalogueUnreadable(f"{path} {foreign_format(head) or 'is no Excel file but text: name it .csv'}")


def _find_sheet(path: Path, columns: Mapping[str, str]) -> _Sheet:
    """The first sheet whose first row with anything in it names a column with paths, else the only one that is not empty."""
    sheets: list[_Sheet] = []
    for sheet in _sheets(path):
        if _names_paths(sheet.names, columns):
            return sheet
        sheets.append(sheet)
    if not sheets:
        raise CatalogueUnreadable(f"{path} has no sheet with anything in it: save the table in the first sheet")
    if len(sheets) > 1:
        every = "; ".join(listed_names(sheet.names) for sheet in sheets[:3])
        raise CatalogueUnreadable(f"{path}: no sheet has a column with the images' paths ({every}): name it with --column path=NAME")
    return sheets[0]


def _sheets(path: Path) -> Iterator[_Sheet]:
    """Every sheet that is not empty; each cell is read twice, for its formula and for the value that Excel saved."""
    import openpyxl

    with path.open("rb") as value_file, path.open("rb") as formula_file:
        valued = openpyxl.load_workbook(value_file, read_only=True, data_only=True)
        written = openpyxl.load_workbook(formula_file, read_only=True, data_only=False)
        for value_sheet, formula_sheet in zip(valued.worksheets, written.worksheets, strict=True):
            rows = list(_cells(value_sheet))
            start = next((at for at, row in enumerate(rows) if any(cell.value is not None for cell in row)), None)
            if start is not None:
                formulas = list(_cells(formula_sheet))
                yield _Sheet(names=_header(rows[start]), values=rows[start + 1 :], formulas=formulas[start + 1 :])


def _cells(sheet: Any) -> Iterator[Sequence[Any]]:
    # Some programs write a wrong size of the sheet, and rows beyond it would be left out.
    sheet.reset_dimensions()
    return sheet.iter_rows()  # type: ignore[no-any-return]  # openpyxl has no types


def _header(cells: Sequence[Any]) -> list[str]:
    names = [cell_text(cell.value) for cell in cells]
    while names and not names[-1].strip():
        names.pop()
    return names


def _names_paths(names: Sequence[str], columns: Mapping[str, str]) -> bool:
    wanted = [fold_name(columns["path"])] if columns.get("path") else USUAL["path"]
    return not set(wanted).isdisjoint(fold_name(name) for name in names)


def _fault(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
