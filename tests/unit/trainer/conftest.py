"""Small data sets on which a head can learn, or cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from trainer.data.triplet_indices import TripletIndices

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def indices() -> Callable[..., TripletIndices]:
    """Triplets among `count` originals (rows 0 to count-1) and their repaints (the rows after)."""

    def made(count: int, start: int = 0, stop: int | None = None, seed: int = 0) -> TripletIndices:
        anchors = np.arange(start, count if stop is None else stop)
        shift = np.random.default_rng(seed).integers(1, max(2, len(anchors)), size=len(anchors))
        negatives = start + (anchors - start + shift) % max(1, len(anchors))
        return TripletIndices(
            anchors=anchors,
            positives=anchors + count,
            negatives=negatives,
            levels=np.where(anchors % 2 == 0, "moderate", "radical"),
            groups=anchors,
            group_of_row={int(row): int(row) for row in anchors},
        )

    return made


@pytest.fixture
def misleading_vectors() -> Callable[[int], npt.NDArray[np.float32]]:
    """Repaints are near their originals but for one shared direction: frozen cosine fails, a head can learn to ignore it."""

    def made(count: int) -> npt.NDArray[np.float32]:
        random = np.random.default_rng(1)
        originals = random.normal(size=(count, 32))
        repaints = originals + 0.3 * random.normal(size=(count, 32))
        originals[:, 0], repaints[:, 0] = 8.0, -8.0
        vectors = np.concatenate([originals, repaints])
        scaled: npt.NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return scaled

    return made
