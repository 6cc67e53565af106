"""Many vectors through a head, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.heads.siamese import SiameseHead

#: Vectors projected at once, always: a product's last bits depend on its shape, and a vector's projection must not depend on how many
#: others there are.
_BATCH = 1024


@torch.no_grad()
def project(head: SiameseHead, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, dimension) CLIP vectors to (N, out) unit vectors of the head."""
    head = head.eval()
    padded = np.pad(vectors, ((0, -len(vectors) % _BATCH), (0, 0)))
    chunks = [head(chunk).numpy() for chunk in torch.split(torch.from_numpy(padded), _BATCH)]
    return np.concatenate(chunks)[: len(vectors)].astype(np.float32)
