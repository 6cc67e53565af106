"""Many vectors through a head, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from trainer.data.vector_matrix import release_pages

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.heads.siamese import SiameseHead

#: Vectors projected at once, always: a product's last bits depend on its shape, and a vector's projection must not depend on how many
#: others there are.
_BATCH = 1024


@torch.no_grad()
def project(head: SiameseHead, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, dimension) vectors, of which one block is read at a time, to (N, out) unit vectors of the head."""
    head = head.eval()
    block = np.zeros((_BATCH, vectors.shape[1]), np.float32)
    projected: npt.NDArray[np.float32] | None = None
    for start in range(0, max(1, len(vectors)), _BATCH):
        count = len(vectors[start : start + _BATCH])
        block[:count], block[count:] = vectors[start : start + _BATCH], 0.0
        made = head(torch.from_numpy(block)).numpy()
        if projected is None:
            projected = np.zeros((len(vectors), made.shape[1]), np.float32)
        projected[start : start + count] = made[:count]
        release_pages(vectors)
    assert projected is not None
    return projected
