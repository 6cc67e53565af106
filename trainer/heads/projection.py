"""Many vectors through a head, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.heads.siamese import SiameseHead

#: Vectors projected at once.
_BATCH = 8192


@torch.no_grad()
def project(head: SiameseHead, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, dimension) CLIP vectors to (N, out) unit vectors of the head."""
    head = head.eval()
    chunks = [head(chunk).numpy() for chunk in torch.split(torch.from_numpy(vectors), _BATCH)]
    return np.concatenate(chunks).astype(np.float32)
