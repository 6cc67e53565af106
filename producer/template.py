"""A CSV with one row for each picture: the operator fills in what is missing and ingests it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from producer.errors import WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from db.catalogue.types import KnownFacts

COLUMNS = ("path", "artist", "title", "style", "subset")


def check_template(path: Path) -> None:
    """Raise `WrongUse` if the file cannot be written, or is there already: somebody may have filled it in."""
    if path.exists():
        raise WrongUse(f"--template: {path} exists already, perhaps filled in: ingest it, or name another file")
    if not path.parent.is_dir():
        raise WrongUse(f"--template: there is no folder {path.parent}: make it, or name another file")


def write_template(path: Path, pictures: Iterable[KnownFacts]) -> None:
    """Write a row for each picture, gaps left empty. Raises `WrongUse` if the file appeared meanwhile or cannot be written."""
    try:
        # utf-8-sig: spreadsheets take a CSV without the mark for one in their own code page.
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows([getattr(picture, column) or "" for column in COLUMNS] for picture in pictures)
    except OSError as error:
        raise WrongUse(f"--template: {path} cannot be written ({error.strerror}): name another file") from None
