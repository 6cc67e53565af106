"""Text files of catalogues: plain or gzipped, UTF-8 with or without a byte order mark."""

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
def open_text(path: Path) -> Iterator[TextIO]:
    """The text of `path`; every failure to read becomes `CatalogueUnreadable`.

    Lines end at newlines only: broken names contain U+0085 and similar characters, at which `str.splitlines` would split.
    """
    try:
        with path.open("rb") as raw:
            gzipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if gzipped else raw
            with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
                yield text
    except FileNotFoundError:
        raise CatalogueUnreadable(f"{path} does not exist: check the path") from None
    except IsADirectoryError:
        raise CatalogueUnreadable(f"{path} is a folder: name a file") from None
    except UnicodeDecodeError as error:
        raise CatalogueUnreadable(f"{path} is not UTF-8 (byte {error.start} of a block): save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise CatalogueUnreadable(f"{path} cannot be read ({error}): is the file complete?") from None
    except csv.Error as error:
        raise CatalogueUnreadable(f"{path} is not a readable CSV ({error}): export it again") from None


def read_lines(path: Path) -> tuple[str, ...]:
    """The lines of a file list without their line ends; empty lines are skipped. Names may end in blanks, so nothing else is stripped."""
    with open_text(path) as file:
        return tuple(line for raw in file if (line := raw.rstrip("\r\n")))


def read_header(path: Path) -> list[str]:
    """The column names of a CSV, in lower case."""
    with open_text(path) as file:
        return [name.strip().casefold() for name in next(csv.reader(file), [])]


def read_records(path: Path) -> Iterator[dict[str, str]]:
    """The data rows of a CSV by lower-case column name, cells stripped; missing cells are empty, surplus ones joined under "surplus"."""
    csv.field_size_limit(FIELD_LIMIT)
    with open_text(path) as file:
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
