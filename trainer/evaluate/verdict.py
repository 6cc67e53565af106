"""Whether the test split is large enough for its figures to mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.intervals import FEWEST_CLUSTERS

if TYPE_CHECKING:
    import numpy.typing as npt


def size_notes(groups: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """A line if the test triplets are of too few groups, given the group of each; else nothing."""
    count = len(np.unique(groups))
    if count >= FEWEST_CLUSTERS:
        return ()
    return (f"too few for a verdict: {count} different artworks to test on, at least {FEWEST_CLUSTERS} are needed",)
