"""A split as it was drawn: the side of each group of copies, and all that is needed to draw it again or to know it again."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from db.training import Split

if TYPE_CHECKING:
    from collections.abc import Mapping


class SplitUnit(StrEnum):
    """What a split keeps on one side."""

    #: All works of one artist, and with them all copies.
    ARTIST = "artist"
    #: All copies of one work.
    ARTWORK = "artwork"
    #: What whoever gave the split kept together, and all copies of one work.
    GIVEN = "given"


@dataclass(frozen=True)
class SplitAssignment:
    """The side of each group of copies."""

    sides: dict[str, Split]
    unit: SplitUnit
    seed: int
    #: What a person should know of how it was drawn, a sentence each.
    notes: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over each group and its side, sorted by group: equal for equal splits."""
        return fingerprint(self.sides)

    def counts(self) -> dict[str, int]:
        """Groups on each side."""
        counted = Counter(side.value for side in self.sides.values())
        return {side.value: counted[side.value] for side in Split}

    def record(self) -> dict[str, Any]:
        """What recipes of triplet sets and saved models keep of it."""
        return {
            "groups": self.counts(),
            "disjoint": self.unit.value,
            "split_seed": self.seed,
            "split_fingerprint": self.fingerprint,
            "split_notes": list(self.notes),
        }


def fingerprint(sides: Mapping[str, Split]) -> str:
    """SHA-256 over each group and its side, sorted by group."""
    digest = hashlib.sha256(b"paragone-split-1\n")
    for group in sorted(sides):
        digest.update(f"{group}\x1f{sides[group].value}\n".encode())
    return digest.hexdigest()
