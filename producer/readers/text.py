"""Text files of catalogues: plain or gzipped, UTF-8 with or without a mark."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from producer.readers.errors import CatalogueUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Descriptions of artworks can be long; the csv module stops at 131,072 characters by default.
FIELD_LIMIT = 16 * 2**20


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """The text of `path`; every way in which reading can fail becomes `CatalogueUnreadable`.

    Lines end at newlines only: broken names hold U+0085 and its like, at which `str.splitlines` would cut.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
                yield text
    except FileNotFoundError:
        raise CatalogueUnreadable(f"{path} is not there: check the path") from None
    except IsADirectoryError:
        raise CatalogueUnreadable(f"{path} is a folder, a file was expected") from None
    except UnicodeDecodeError as error:
        raise CatalogueUnreadable(f"{path} is not UTF-8 (byte {error.start} of a block): save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise CatalogueUnreadable(f"{path} cannot be read ({error}): is the file whole?") from None
    except csv.Error as error:
        raise CatalogueUnreadable(f"{path} is not a readable CSV ({error}): export it again") from None


def lines(path: Path) -> tuple[str, ...]:
    """The lines of a file list without their line ends; blank ones are left out. Names may end in blanks, so nothing else is cut."""
    with opened(path) as file:
        return tuple(line for raw in file if (line := raw.rstrip("\r\n")))


def header(path: Path) -> list[str]:
    """The column names of a CSV, in lower case."""
    with opened(path) as file:
        return [name.strip().casefold() for name in next(csv.reader(file), [])]


def records(path: Path) -> Iterator[dict[str, str]]:
    """The data rows of a CSV by lower-case column name, cells stripped; missing cells are empty, surplus ones joined under "surplus"."""
    csv.field_size_limit(FIELD_LIMIT)
    with opened(path) as file:
        reader = csv.reader(file)
        names = [name.strip().casefold() for name in next(reader, [])]
        for cells in reader:
            if not cells:
                continue
            record = dict.fromkeys(names, "")
            record.update(zip(names, (cell.strip(" \t\r\n") for cell in cells), strict=False))
            if len(cells) > len(names):
                record["surplus"] = ",".join(cells[len(names) :])
            yield record
