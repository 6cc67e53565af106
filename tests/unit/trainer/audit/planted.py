"""Twelve works by six artists on three sides, where nothing is shared, and ways to plant what an audit has to find."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from db.results.pairs import Repaint
from db.training import Split
from trainer.audit import PictureSpace, audit_split, sided_pictures
from trainer.data.originals import GroupedOriginal
from trainer.data.pair_table import pair_table
from trainer.splits.assignment import SplitAssignment, SplitUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from db.training import Triplet
    from trainer.audit import LeakageAudit

WORKS = 12
LEVELS = ("moderate", "radical")


@dataclass
class PlantedData:
    """Changed by a test before it is audited; work n is by artist n // 2, two artists a side."""

    artists: list[str | None] = field(default_factory=lambda: [f"artist {number // 2}" for number in range(WORKS)])
    groups: list[str] = field(default_factory=lambda: [f"g{number:02}" for number in range(WORKS)])
    #: By the name of a picture: a work's key, or the key and a level.
    contents: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    hashes: dict[str, int] = field(default_factory=dict)
    #: Names of the pictures that were opened.
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        for name in self.names():
            vector = rng.normal(size=128)
            self.vectors[name] = (vector / np.linalg.norm(vector)).astype(np.float32)
            self.hashes[name] = int(rng.integers(0, 2**63))
            self.contents[name] = f"content of {name}"

    @staticmethod
    def names() -> list[str]:
        keys = [f"k{number:02}" for number in range(WORKS)]
        return keys + [f"{key} {level}" for key in keys for level in LEVELS]

    def side(self, number: int) -> Split:
        return (Split.TRAIN, Split.VALIDATION, Split.TEST)[number // 4]

    def look_alike(self, one: str, other: str, *, cosine: float = 0.99, bits: int = 3) -> None:
        """Make `other` look like `one`."""
        vector, noise = self.vectors[one].astype(np.float64), np.random.default_rng(1).normal(size=128)
        noise -= (noise @ vector) * vector
        mixed = cosine * vector + np.sqrt(1 - cosine**2) * noise / np.linalg.norm(noise)
        self.vectors[other] = mixed.astype(np.float32)
        self.hashes[other] = self.hashes[one] ^ ((1 << bits) - 1)

    def audit(
        self,
        *,
        unit: SplitUnit = SplitUnit.ARTIST,
        triplets: Iterable[Triplet] = (),
        embeddings: bool = True,
        pictures: bool = True,
        allowed: bool = False,
    ) -> LeakageAudit:
        sides = {group: self.side(number) for number, group in enumerate(self.groups)}
        content = {self.contents[name]: name for name in reversed(self.names())}
        rows = {self.contents[name]: row for row, name in enumerate(self.names())}

        def hashes(contents: Sequence[str]) -> npt.NDArray[np.uint64]:
            self.opened += [content[one] for one in contents]
            return np.array([self.hashes[content[one]] for one in contents], dtype=np.uint64)

        return audit_split(
            sided_pictures(pair_table(self._originals(), self._repaints()), sides, triplets),
            SplitAssignment(sides, unit, 0),
            split="80/20",
            space=PictureSpace(vectors=np.stack(list(self.vectors.values())), rows=rows) if embeddings else None,
            hashes=hashes if pictures else None,
            allowed=allowed,
        ).audit

    def _originals(self) -> list[GroupedOriginal]:
        return [
            GroupedOriginal(
                artwork_id=number,
                key=f"k{number:02}",
                group_key=self.groups[number],
                content_hash=self.contents[f"k{number:02}"],
                styles=frozenset({"Cubism"}),
                artist=self.artists[number],
            )
            for number in range(WORKS)
        ]

    def _repaints(self) -> list[Repaint]:
        facts: dict[str, Any] = {"image_id": 0, "variation_id": 0, "seed": 7, "pixel_hash": "", "width": 1, "height": 1, "brief": ""}
        texts: dict[str, Any] = {"prompt": "p", "prompt_tokens": 1, "caption": None, "recaption": None, "provenance": {}}
        return [
            Repaint(artwork_id=number, level=level, ordinal=0, content_hash=self.contents[f"k{number:02} {level}"], **facts | texts)
            for number in range(WORKS)
            for level in LEVELS
        ]
