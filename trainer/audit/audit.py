"""The audit of a split: what its sides share, each kind with its first pairs, and which of it is a leak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.audit.findings import LeakageAudit, SharedFinding, SharedKind, SharedPair, SharedSeverity
from trainer.audit.near import MOST_BITS_ALONE, MOST_HASHED, NearPictures, compared, near_by_embedding, near_by_hash, near_duplicates
from trainer.audit.shared import equal_contents, shared_artists, shared_groups
from trainer.audit.sided_pictures import SIDES
from trainer.data.pair_table import UNKNOWN
from trainer.splits.assignment import SplitUnit

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from trainer.audit.sided_pictures import ContentHasher, PictureSpace, SidedPictures
    from trainer.splits.assignment import SplitAssignment

    Numbers = npt.NDArray[np.int64]

#: Pairs of a kind that are listed; all are counted.
LISTED = 50


@dataclass(frozen=True, kw_only=True)
class AuditedSplit:
    """An audit, and all works that it found to look the same."""

    audit: LeakageAudit
    #: Pairs of groups, sorted.
    alike: tuple[tuple[str, str], ...]


def audit_split(
    pictures: SidedPictures,
    assignment: SplitAssignment,
    *,
    split: str,
    space: PictureSpace | None = None,
    hashes: ContentHasher | None = None,
    allowed: bool = False,
) -> AuditedSplit:
    """Look for what sides share.

    A repaint beside its own original, and two repaints of one work, are never found: they are one group.

    Args:
        pictures: what is used on which side.
        assignment: the split as it was drawn; shared artists are a leak if it was to keep them apart.
        split: its name in the record.
        space: CLIP's vectors, whose cosines say what is near; None to leave near-duplicates out.
        hashes: opens pictures; None to leave pixels uncompared, so that what is near by embedding is only warned of.
        allowed: whether leaks do not stop the training; only recorded.
    """
    audit = _Findings(pictures)
    contents = equal_contents(pictures)
    audit.add(SharedKind.GROUP, SharedSeverity.LEAK, shared_groups(pictures), lambda row: f"both of {_group(pictures, row)}")
    kept_apart = assignment.unit is SplitUnit.ARTIST
    artist = SharedSeverity.LEAK if kept_apart else SharedSeverity.WARNING
    audit.add(SharedKind.ARTIST, artist, shared_artists(pictures), lambda row: f"both by {pictures.artist_names[pictures.artists[row]]}")
    audit.add(SharedKind.CONTENT, SharedSeverity.LEAK, contents, lambda row: f"equal bytes {pictures.contents[row][:12]}")
    checked = [f"groups, artists and bytes of {len(pictures)} pictures"]
    alike = contents
    if space is not None:
        near = near_by_embedding(pictures, space)
        near = near if hashes is None else compared(pictures, near, hashes)
        duplicates = near_duplicates(near)
        audit.add_near(SharedKind.NEAR_DUPLICATE, SharedSeverity.LEAK, near.chosen(duplicates))
        audit.add_near(SharedKind.NEAR_BY_EMBEDDING, SharedSeverity.WARNING, near.chosen(~duplicates), near.beyond)
        uncompared = int((near.bits == UNKNOWN).sum()) + near.beyond
        checked.append(f"embeddings of {sum(content in space.rows for content in pictures.contents)} pictures")
        checked.append(f"pixels of {len(near.pairs) + near.beyond - uncompared} near pairs, {uncompared} left uncompared")
        alike = np.concatenate([contents, near.pairs[duplicates]])
    if hashes is not None:
        by_hash = near_by_hash(pictures, hashes)
        audit.add_near(SharedKind.NEAR_BY_HASH, SharedSeverity.WARNING, by_hash.chosen(~_among(by_hash.pairs, alike)))
        few = int(pictures.originals.sum()) <= MOST_HASHED
        checked.append(
            f"hashes of all originals, up to {MOST_BITS_ALONE} bits apart" if few else f"hashes of no more than {MOST_HASHED} originals"
        )
    found = LeakageAudit(
        split=split,
        unit=assignment.unit,
        split_fingerprint=assignment.fingerprint,
        originals=int(pictures.originals.sum()),
        repaints=int((~pictures.originals).sum()),
        checked=tuple(checked),
        findings=tuple(audit.found),
        allowed=allowed,
    )
    return AuditedSplit(audit=found, alike=_group_pairs(pictures, alike))


class _Findings:
    """What was found so far."""

    def __init__(self, pictures: SidedPictures) -> None:
        self.found: list[SharedFinding] = []
        self._pictures = pictures

    def add(self, kind: SharedKind, severity: SharedSeverity, pairs: Numbers, why: Callable[[int], str]) -> None:
        """A finding, unless there is nothing of it; `why` says what a pair shares, by its first row."""
        self._add(kind, severity, len(pairs), [self._pair(one, other, why(one)) for one, other in pairs[:LISTED].tolist()])

    def add_near(self, kind: SharedKind, severity: SharedSeverity, near: NearPictures, beyond: int = 0) -> None:
        """Pairs that look the same; `beyond` more of them were not kept."""
        listed = zip(near.pairs[:LISTED].tolist(), near.cosines.tolist(), near.bits.tolist(), strict=False)
        pairs = [self._pair(one, other, _nearness(cosine, bits)) for (one, other), cosine, bits in listed]
        self._add(kind, severity, len(near.pairs) + beyond, pairs)

    def _add(self, kind: SharedKind, severity: SharedSeverity, count: int, pairs: list[SharedPair]) -> None:
        if count:
            self.found.append(SharedFinding(kind=kind, severity=severity, count=count, pairs=tuple(pairs)))

    def _pair(self, one: int, other: int, why: str) -> SharedPair:
        names, sides = self._pictures.names, self._pictures.sides
        return SharedPair(one=names[one], one_side=SIDES[sides[one]], other=names[other], other_side=SIDES[sides[other]], why=why)


def _nearness(cosine: float, bits: int) -> str:
    parts = [] if np.isnan(cosine) else [f"cosine {cosine:.3f}"]
    return ", ".join([*parts, "pixels not compared" if bits == UNKNOWN else f"{bits} of 64 bits differ"])


def _group(pictures: SidedPictures, row: int) -> str:
    return pictures.group_names[int(pictures.groups[row])]


def _among(pairs: Numbers, others: Numbers) -> npt.NDArray[np.bool_]:
    known = set(map(tuple, others.tolist()))
    return np.array([tuple(pair) in known for pair in pairs.tolist()], dtype=np.bool_)


def _group_pairs(pictures: SidedPictures, pairs: Numbers) -> tuple[tuple[str, str], ...]:
    unique = np.unique(np.sort(pictures.groups[pairs], axis=1), axis=0).tolist()
    return tuple(sorted((pictures.group_names[one], pictures.group_names[other]) for one, other in unique))
