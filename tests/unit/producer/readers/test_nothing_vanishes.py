"""Whatever rows a small table holds: each is a row of the catalogue or refused, and no text comes through that a database cannot store."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.cleaning import clean_artwork, join_catalogue, reconcile
from producer.readers import CatalogueUnreadable, read_catalogue

if TYPE_CHECKING:
    from producer.readers import Catalogue

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
#: Cells with what breaks tables: quotes, delimiters, line ends, NULs, surrogates, other alphabets.
TEXT = st.text(st.characters() | st.sampled_from('",;\t\n\r\0\ud800\udc00\\%/.'), max_size=12)
PATHS = TEXT | st.sampled_from(["img/one.png", "../x.png", "/etc/x.png", "a%20b.png", "https://example.org/a.png", "img/../two.png", ""])
ROWS = st.lists(st.tuples(PATHS, TEXT, TEXT, TEXT), max_size=6)
HEADER = ("path", "artist", "title", "style")


def check(catalogue: Catalogue, numbers: list[int]) -> None:
    assert sorted([row.number for row in catalogue.rows] + [refused.row for refused in catalogue.refused if refused.row]) == numbers
    joined = join_catalogue(catalogue)
    assert reconcile(catalogue, joined).unexplained == ()
    texts = [text for row in catalogue.rows for text in (row.path, row.artist, row.title, row.styles, row.subset, *row.extra.values())]
    texts += [text for refused in catalogue.refused for text in (refused.path, refused.reason)]
    texts += [artwork.key for artwork in map(clean_artwork, joined)]
    assert not [text for text in texts if UNSTORABLE.search(text)]


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, delimiter=st.sampled_from(",;\t|"), quoted=st.booleans())
def test_of_a_csv(rows: list[tuple[str, ...]], delimiter: str, *, quoted: bool) -> None:
    text = io.StringIO(newline="")
    # With \n alone, csv before Python 3.13 leaves a cell with \r unquoted.
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerows([HEADER, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cat.csv"
        path.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
        check(read_catalogue(path), list(range(1, len(rows) + 1)))


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, escape=st.booleans())
def test_of_json_lines(rows: list[tuple[str, ...]], escape: bool) -> None:
    text = "".join(json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=escape) + "\n" for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cat.jsonl"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        if rows:
            check(read_catalogue(path), list(range(1, len(rows) + 1)))
        else:
            with pytest.raises(CatalogueUnreadable):
                read_catalogue(path)


@settings(deadline=None, max_examples=100)
@given(
    data=st.binary(max_size=300), name=st.sampled_from(["cat.csv", "cat.tsv", "cat.json", "cat.jsonl", "cat.txt", "cat.xlsx", "cat.tar"])
)
def test_any_bytes_are_read_or_refused_in_one_line(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            catalogue = read_catalogue(path)
        except CatalogueUnreadable as error:
            assert "\n" not in str(error)  # noqa: PT017  # it may be raised or not
        else:
            check(
                catalogue,
                list(range(1, sum(row.number > 0 for row in catalogue.rows) + sum(bool(one.row) for one in catalogue.refused) + 1)),
            )


@settings(deadline=None, max_examples=100)
@given(tail=st.text(st.sampled_from('",;ab1.png\n\r\0 '), max_size=60))
def test_any_end_of_a_csv_is_read_or_refused_in_one_line(tail: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cat.csv"
        path.write_text("path,artist\nimg/one.png,Ann\n" + tail, newline="")
        try:
            catalogue = read_catalogue(path)
        except CatalogueUnreadable as error:
            assert re.search(r"line \d+", str(error))  # noqa: PT017  # it may be raised or not
        else:
            check(catalogue, list(range(1, len(catalogue.rows) + len(catalogue.refused) + 1)))
            assert catalogue.rows[0].path == "img/one.png"
