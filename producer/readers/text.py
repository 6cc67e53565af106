"""Text files of catalogues: plain or gzipped, UTF-8 with or without a byte order mark, UTF-16 with one."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from producer.readers.errors import CatalogueUnreadable
from producer.readers.signatures import HEAD_BYTES, foreign_format, is_gzip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SURROGATE = re.compile("[\ud800-\udfff]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
#: Printable in Windows-1252, control characters in Latin-1.
_ONLY_WINDOWS = re.compile(rb"[\x80-\x9f]")


@contextmanager
def open_text(path: Path) -> Iterator[Iterator[str]]:
    """The lines of `path` with their line ends; every failure to read becomes `CatalogueUnreadable`.

    Lines end at newlines only: broken names contain U+0085 and similar characters, at which `str.splitlines` would split. Lone surrogates
    come through as they are: whoever reads the cells replaces and counts them.
    """
    try:
        with path.open("rb") as raw:
            gzipped = is_gzip(raw.peek(2))
            stream = gzip.GzipFile(fileobj=raw) if gzipped else raw
            head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
            if (foreign := foreign_format(head)) is not None:
                raise CatalogueUnreadable(f"{path} {foreign}")
            if head.startswith(_UTF16):
                with io.TextIOWrapper(stream, encoding="utf-16", errors="surrogatepass", newline="") as text:
                    yield text
            else:
                with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
                    yield _decoded_lines(path, text)
    except FileNotFoundError:
        raise CatalogueUnreadable(f"{path} does not exist: check the path") from None
    except IsADirectoryError:
        raise CatalogueUnreadable(f"{path} is a folder: name a file") from None
    except UnicodeDecodeError:
        raise CatalogueUnreadable(f"{path} begins as UTF-16 and does not go on so: save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise CatalogueUnreadable(f"{path} cannot be read ({error}): is the file complete?") from None
    except csv.Error as error:
        raise CatalogueUnreadable(f"{path} is not a readable CSV ({error}): export it again") from None


def _decoded_lines(path: Path, text: Iterator[str]) -> Iterator[str]:
    """Lines of UTF-8 as they come; raises where bytes are not UTF-8. Surrogates that were written out as if they were characters pass."""
    for number, line in enumerate(text, start=1):
        if line.isascii() or _SURROGATE.search(line) is None:
            yield line
            continue
        data = line.encode("utf-8", "surrogateescape")
        try:
            yield data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            likely = "Windows-1252" if _ONLY_WINDOWS.search(data) else "Latin-1"
            byte = f"byte 0x{data[error.start]:02x} in line {number:,}"
            raise CatalogueUnreadable(f"{path} is not UTF-8 but probably {likely} ({byte}): save it as UTF-8") from None


def read_lines(path: Path) -> tuple[str, ...]:
    """The lines of a file list without their line ends; empty lines are skipped. Names may end in blanks, so nothing else is stripped."""
    with open_text(path) as lines:
        return tuple(line for raw in lines if (line := raw.rstrip("\r\n")))
