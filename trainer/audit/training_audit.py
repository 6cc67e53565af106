"""The audit of what a training uses, kept in the model's folder; a training that would leak is stopped with one line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trainer.audit.audit import audit_split
from trainer.audit.findings import SharedKind
from trainer.audit.sided_pictures import PictureSpace, sided_pictures
from trainer.data.pair_table import pair_table
from trainer.errors import LeakingSplit
from trainer.spaces.space_slice import frozen_slice
from trainer.splits.ratio import SplitRatio

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from db.training import Triplet
    from trainer.audit.audit import AuditedSplit
    from trainer.audit.findings import LeakageAudit
    from trainer.data.dataset import EmbeddingDataset
    from trainer.splits.assignment import SplitAssignment
    from trainer.splits.rule import SplitRule

#: The audit of the model in the folder, and that of a training which was stopped.
AUDIT, REFUSED_AUDIT = "audit.json", "refused-audit.json"

#: How often works that look the same are joined and the split is drawn again: others may be parted then.
_ROUNDS = 10

_MENDS = {
    SharedKind.GROUP: "split by shares, such as 80/20, and take negatives from their own side",
    SharedKind.ARTIST: "take negatives from their own side, or give --disjoint artwork",
    SharedKind.CONTENT: "split by shares, such as 80/20, with --join-alike",
    SharedKind.NEAR_DUPLICATE: "split by shares, such as 80/20, with --join-alike",
}


def audit_training(
    dataset: EmbeddingDataset,
    assignment: SplitAssignment,
    triplets: Sequence[Triplet] = (),
    *,
    split: str,
    allowed: bool = False,
    untrained: bool = False,
) -> AuditedSplit:
    """What the sides share, of all pictures that the split or the triplets put on them.

    Where models have random weights (`untrained`) near-duplicates are not looked for: their vectors say nothing of likeness.
    """
    table = pair_table(dataset.originals, dataset.repaints)
    return audit_split(
        sided_pictures(table, assignment.sides, triplets),
        assignment,
        split=split,
        space=None if untrained else _clip_space(dataset),
        hashes=None if untrained or dataset.hashes is None else dataset.hashes.of,
        allowed=allowed,
    )


def join_alike(dataset: EmbeddingDataset, rule: SplitRule, seed: int, *, untrained: bool = False) -> SplitAssignment:
    """The split with works that look the same on one side; a split that came with the data stays what it is."""
    assignment = rule.assign(dataset, seed)
    joined: tuple[tuple[str, str], ...] = ()
    for _ in range(_ROUNDS):
        if not isinstance(rule, SplitRatio):
            break
        alike = audit_training(dataset, assignment, split=str(rule), untrained=untrained).alike
        if not alike:
            break
        joined = tuple(sorted({*joined, *alike}))
        assignment = rule.keeping(joined).assign(dataset, seed)
    note = f"pairs of works that look the same and are kept on one side: {len(joined)}"
    return replace(assignment, notes=(*assignment.notes, note)) if joined else assignment


def keep_audit(directory: Path, audit: LeakageAudit) -> None:
    """Write the audit into the model's folder.

    Raises:
        LeakingSplit: sides share what they must not, and that is not allowed; the audit is kept beside the folder's own.
    """
    leaking = bool(audit.leaks) and not audit.allowed
    (directory / (REFUSED_AUDIT if leaking else AUDIT)).write_text(audit.model_dump_json(indent=2), encoding="utf-8")
    if leaking:
        raise LeakingSplit(_refusal(audit, directory / REFUSED_AUDIT))
    (directory / REFUSED_AUDIT).unlink(missing_ok=True)


def _clip_space(dataset: EmbeddingDataset) -> PictureSpace | None:
    """CLIP's part of the vectors; None where it is not among the spaces: other spaces' cosines have other thresholds."""
    vectors, rows = dataset.embeddings.vectors, dataset.embeddings.rows
    if not dataset.spaces:
        return PictureSpace(vectors=vectors, rows=rows)
    frozen = frozen_slice(dataset.spaces)
    return PictureSpace(vectors=vectors[:, frozen.columns], rows=rows) if frozen.is_clip else None


def _refusal(audit: LeakageAudit, path: Path) -> str:
    first, *others = audit.leaks
    also = "".join(f", {finding.count} x {finding.kind}" for finding in others)
    shared = f"--split {audit.split} leaks between its sides, {first.count} x {first.kind}{also}; the first: {first.pairs[0]}"
    return f"{shared} (more in {path}): {_MENDS[first.kind]}, or train all the same with --allow-leaks"
