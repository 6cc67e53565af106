"""The similarity of every repaint to its own original: what triplets, pairs and graded order all compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from trainer.metrics.similarities import row_blocks

if TYPE_CHECKING:
    from trainer.data.pair_table import PairTable
    from trainer.metrics.similarities import Block, Rows, Similarities


@runtime_checkable
class PairwiseSimilarities(Protocol):
    """Similarities that know a faster way to those of single pairs than whole rows."""

    def originals_to_their_repaints(self, originals: Rows, repaints: Rows) -> Block:
        """(k,): each original, as a query, to the repaint at the same place."""
        ...


def own_pairs(similarities: Similarities, table: PairTable) -> Block:
    """(M,) the similarity of each repaint's original, as a query, to the repaint."""
    owners = table.repaints.originals
    repaints = np.arange(len(owners))
    if isinstance(similarities, PairwiseSimilarities):
        return similarities.originals_to_their_repaints(owners, repaints)
    found: Block = np.empty(len(owners), dtype=np.float32)
    for rows in row_blocks(len(table.originals), len(owners)):
        theirs = repaints[(owners >= rows[0]) & (owners <= rows[-1])]
        found[theirs] = similarities.originals_to_repaints(rows)[owners[theirs] - rows[0], theirs]
    return found
