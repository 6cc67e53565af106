"""A folder of sample artworks with its catalogue in the Kaggle layout, and a few gaps for cleaning to find."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import TYPE_CHECKING, Any

from producer.samples.painter import Painting, paint

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("filename", "artist", "genre", "description", "phash", "width", "height", "genre_count", "subset", "title", "date")

#: What truth.json says of a painting, besides its file name.
FACTS = ("caption", "sentence", "style", "artist", "title", "year", "subject", "count", "palette", "scene", "version")
#: From this many artworks on the folder has gaps: in a smaller one most would be gaps.
WITH_GAPS = 12
#: Every fifth row is of the test subset.
_FIFTH = 5
_QUALITY = 92
_NO_SLUG = re.compile(r"[^\w]+")


@dataclass(frozen=True, kw_only=True)
class SampleTree:
    """What was written: artworks that are complete and readable, and the gaps on top of them."""

    folder: Path
    artworks: int
    gaps: dict[str, str]


def paint_tree(folder: Path, *, count: int, size: int, seed: int, versions: int = 1) -> SampleTree:
    """Paint `count` scenes into `Style_Name/artist_title-year.jpg`, with `classes.csv` and `truth.json` beside them.

    Each scene is painted `versions` times. Only folders of single versions have gaps: the others are for training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    truths: dict[str, dict[str, Any]] = {}
    names: Counter[str] = Counter()
    gaps: dict[str, str] = {}
    extra = 2 if count >= WITH_GAPS and versions == 1 else 0
    for index, version in product(range(count + extra), range(versions)):
        painting = paint(seed, index, size, version)
        path = _path(painting, names)
        row = _row(painting, path, len(rows))
        data = _jpeg(painting)
        if index == count:
            path, row = _without_artist(path, row)
            gaps["no artist"] = path
        elif index == count + 1:
            data = data[: len(data) * 2 // 5]
            gaps["broken file"] = path
        _write(folder, path, data)
        rows.append(row)
        truths[path] = _truth(painting, row)
    if extra:
        gaps["second copy"] = _second_copy(folder, rows)
        gaps["broken name"] = _broken_name(folder, rows, truths)
    _catalogue(folder, rows)
    (folder / "truth.json").write_text(json.dumps(truths, ensure_ascii=False, indent=1) + "\n")
    return SampleTree(folder=folder, artworks=count * versions, gaps=gaps)


def slug(text: str) -> str:
    """Words in lower case between hyphens, letters of all alphabets kept."""
    return _NO_SLUG.sub("-", text.casefold()).strip("-")


def _path(painting: Painting, names: Counter[str]) -> str:
    """A path whose stem no other painting has: the stem is the artwork's key. Equal ones are numbered from the second on."""
    start = f"{slug(painting.artist)}_{slug(painting.title)}"
    stem = f"{start}-{painting.year}"
    names[stem] += 1
    if names[stem] > 1:
        stem = f"{start}-no-{names[stem]}-{painting.year}"
    return f"{painting.style.replace(' ', '_')}/{stem}.jpg"


def _row(painting: Painting, path: str, position: int) -> dict[str, Any]:
    return {
        "filename": path,
        "artist": painting.artist.casefold(),
        "genre": str([painting.style]),
        "description": slug(painting.title),
        "phash": "",
        "width": painting.image.width,
        "height": painting.image.height,
        "genre_count": 1,
        "subset": "test" if position % _FIFTH == _FIFTH - 1 else "train",
        "title": painting.title,
        "date": painting.year,
    }


def _truth(painting: Painting, row: dict[str, Any]) -> dict[str, Any]:
    return {"filename": row["filename"], **{fact: getattr(painting, fact) for fact in FACTS}}


def _without_artist(path: str, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An artwork whose artist is missing."""
    folder, name = path.split("/")
    path = f"{folder}/unknown_{name.split('_', 1)[1]}"
    return path, {**row, "filename": path, "artist": ""}


def _second_copy(folder: Path, rows: list[dict[str, Any]]) -> str:
    """The first artwork again, in the folder of the second one's style; its row has both styles."""
    first, other = rows[0], rows[1]["filename"].split("/")[0]
    path = f"{other}/{first['filename'].split('/')[1]}"
    _write(folder, path, (folder / first["filename"]).read_bytes())
    first["genre"] = str([first["genre"].strip("[]'"), other.replace("_", " ")])
    first["genre_count"] = 2
    return path


def _broken_name(folder: Path, rows: list[dict[str, Any]], truths: dict[str, dict[str, Any]]) -> str:
    """A file whose name went through the wrong encoding; its row has the right one. An artist with an accent is taken if there is one."""
    row = next((row for row in rows[2:-2] if not row["filename"].isascii()), rows[2])
    path = row["filename"]
    if path.isascii():
        style, name = path.split("/")
        row["filename"] = f"{style}/{name.replace('_', '-aîné_', 1)}"
        row["artist"] += " aîné"
    broken = row["filename"].encode().decode("latin-1").lower()
    broken = f"{path.split('/')[0]}/{broken.split('/')[1]}"
    (folder / path).rename(folder / broken)
    truths[broken] = {**truths.pop(path), "filename": row["filename"]}
    return broken


def _jpeg(painting: Painting) -> bytes:
    buffer = BytesIO()
    painting.image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def _write(folder: Path, path: str, data: bytes) -> None:
    location = folder / path
    location.parent.mkdir(exist_ok=True)
    location.write_bytes(data)


def _catalogue(folder: Path, rows: list[dict[str, Any]]) -> None:
    with (folder / "classes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
