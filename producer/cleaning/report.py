"""The cleaning report: what was missing, what was repaired, what is left, and what became of every row and file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ColumnReport:
    """How complete one column is: `missing` cells were empty or broken; `repaired` of them are known now, `left` are not."""

    of: int
    missing: int
    repaired: int
    left: int


@dataclass(frozen=True, kw_only=True)
class CleaningReport:
    """One ingest in numbers, as the operator and scripts see it."""

    catalogue: str
    reader: str
    rows: int
    files: int
    artworks: int
    second_copies: int
    #: Files whose name had to be repaired, and the number of artworks they belong to.
    names_repaired: int
    works_with_repaired_names: int
    uncertain_artists: int
    complete: int
    incomplete: int
    #: Artworks none of whose files can be read.
    unreadable: int
    #: Artworks whose file is not there (yet).
    missing_files: int
    refused: int
    unexplained: int
    #: Known artworks whose original was put back into the store, which had lost it.
    refilled: int
    #: Names whose picture another artwork has, byte for byte: they are one artwork.
    joined_by_content: int
    #: Artworks whose name another, different picture has: each is an artwork of its own.
    same_name: int
    #: Files that were joined to a row which writes their name in another way.
    similar_names: int
    #: Artworks that got an artist or a style which the operator gave for all.
    filled: int
    #: What the database did not know before.
    changes: dict[str, int]
    details: dict[str, Any]
    #: Paths of this report's charts.
    charts: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json` and the database."""
        return asdict(self)
