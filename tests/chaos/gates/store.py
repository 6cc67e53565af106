"""The store: no row without its blob, no blob without a row after a collection, no scratch file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.gates.evidence import Evidence


def no_row_without_blob(evidence: Evidence) -> list[str]:
    """Of images, current and past, and of originals but the one that was taken out."""
    images = [
        f"image {row['id']} has no blob (current: {row['current']})"
        for row in evidence.images
        if row["content_hash"] not in evidence.stored
    ]
    gone = evidence.world.plan.gone
    originals = [
        f"artwork {number} has no original"
        for row in evidence.artworks
        if (number := evidence.numbers[row["id"]]) != gone and row["content_hash"] and row["content_hash"] not in evidence.stored
    ]
    return images + originals


def no_blob_without_row(evidence: Evidence) -> list[str]:
    """After `gc --grace 0s` at rest, neither blobs that nobody knows nor scratch files are left; the marker lies in the root."""
    known = {row["content_hash"] for row in [*evidence.images, *evidence.artworks]}
    root = evidence.world.store
    below = (path for path in sorted(root.rglob("*")) if path.is_file() and path.parent != root)
    return [f"{path.relative_to(root)} belongs to no row" for path in below if path.name not in known]
