"""What one step of a training works on and scores: triplets, or pairs of which each is a negative to all others of its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from trainer.errors import NothingToTrainOn
from trainer.fit.fitting_pairs import pair_rows
from trainer.losses.protocol import BatchLoss

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from torch import Tensor

    from trainer.data.triplet_indices import TripletIndices
    from trainer.heads.siamese import SiameseHead
    from trainer.losses.protocol import TripletLoss

    Outputs = tuple[Tensor, Tensor]

#: Triplets validated at once: bounds memory, changes nothing else.
_VALIDATION_BATCH = 4096


class Objective(Protocol):
    """The items of one side of a split, cut into batches, and how a batch is scored."""

    def __len__(self) -> int:
        """Items: triplets or pairs."""
        ...

    def steps(self, batch_size: int) -> int:
        """Batches of one pass."""
        ...

    def shuffled(self, batch_size: int) -> Iterator[Tensor]:
        """One pass in a random order: (kinds, n) rows of the embeddings. Chance is torch's."""
        ...

    def in_order(self, batch_size: int) -> Iterator[Tensor]:
        """One pass in the same order at each call."""
        ...

    def outputs(self, head: SiameseHead, vectors: Tensor) -> Outputs:
        """What the head makes of (kinds, n, dimension) vectors of a batch."""
        ...

    def loss(self, outputs: Outputs, t: Tensor) -> Tensor:
        """The batch's mean loss."""
        ...

    def right(self, outputs: Outputs) -> float:
        """Items whose positive is nearer than the negative, in parts where there are several; a tie counts half."""
        ...


def objective(loss: TripletLoss | BatchLoss, indices: TripletIndices, device: str) -> Objective:
    """That of the loss's kind."""
    return PairBatches(loss, indices, device) if isinstance(loss, BatchLoss) else TripletBatches(loss, indices, device)


class TripletBatches:
    """Triplets with the negatives that were drawn."""

    def __init__(self, loss: TripletLoss, indices: TripletIndices, device: str) -> None:
        self._loss = loss
        self._device = device
        #: (3, N) rows of anchors, positives and negatives.
        self._rows = torch.from_numpy(np.stack([indices.anchors, indices.positives, indices.negatives])).to(device)

    def __len__(self) -> int:
        return self._rows.shape[1]

    def steps(self, batch_size: int) -> int:
        """Batches of one pass, the last of which may be smaller."""
        return -(-len(self) // batch_size)

    def shuffled(self, batch_size: int) -> Iterator[Tensor]:
        """(3, n) rows."""
        order = torch.randperm(len(self), device="cpu").to(self._device)
        for chosen in torch.split(order, batch_size):
            yield self._rows[:, chosen]

    def in_order(self, batch_size: int) -> Iterator[Tensor]:  # noqa: ARG002  # a mean over triplets is the same in any batches
        """(3, n) rows."""
        yield from torch.split(self._rows, _VALIDATION_BATCH, dim=1)

    def outputs(self, head: SiameseHead, vectors: Tensor) -> Outputs:
        """(s+, s-)."""
        return head.similarities(*vectors)

    def loss(self, outputs: Outputs, t: Tensor) -> Tensor:
        """Over the triplets."""
        return self._loss(*outputs, t)

    def right(self, outputs: Outputs) -> float:
        """Triplets with s+ > s-."""
        s_plus, s_minus = outputs
        return float((s_plus > s_minus).sum() + 0.5 * (s_plus == s_minus).sum())


class PairBatches:
    """Each pair once; raises `NothingToTrainOn` where all are of one group, for then there is no negative."""

    def __init__(self, loss: BatchLoss, indices: TripletIndices, device: str) -> None:
        self._loss = loss
        self._device = device
        first = pair_rows(indices)
        self._groups = indices.groups[first]
        if len(first) and len(np.unique(self._groups)) == 1:
            raise NothingToTrainOn("the loss compares artworks of one batch, and there is only one on a side of the split")
        #: (2, N) rows of originals and repaints.
        self._rows = torch.from_numpy(np.stack([indices.anchors[first], indices.positives[first]])).to(device)

    def __len__(self) -> int:
        return self._rows.shape[1]

    def steps(self, batch_size: int) -> int:
        """Batches of one pass: the same in every order."""
        return len(group_batches(self._groups, batch_size))

    def shuffled(self, batch_size: int) -> Iterator[Tensor]:
        """(2, n) rows, no two of one group."""
        yield from self._batches(torch.randperm(len(self), device="cpu").numpy(), batch_size)

    def in_order(self, batch_size: int) -> Iterator[Tensor]:
        """(2, n) rows, no two of one group."""
        yield from self._batches(np.arange(len(self)), batch_size)

    def outputs(self, head: SiameseHead, vectors: Tensor) -> Outputs:
        """Vectors of originals and of repaints, in one pass as in `SiameseHead.similarities`."""
        originals, repaints = head(vectors.flatten(0, 1)).float().chunk(2)
        return originals, repaints

    def loss(self, outputs: Outputs, t: Tensor) -> Tensor:
        """Over the batch."""
        return self._loss(*outputs, t)

    def right(self, outputs: Outputs) -> float:
        """For each repaint the share of the batch's other originals that are farther than its own, summed."""
        originals, repaints = outputs
        cosines = repaints @ originals.T
        own = cosines.diagonal()[:, None]
        ranked = (own > cosines).sum() + 0.5 * ((own == cosines).sum() - len(cosines))
        return float(ranked / (len(cosines) - 1))

    def _batches(self, order: npt.NDArray[np.int64], batch_size: int) -> Iterator[Tensor]:
        for places in group_batches(self._groups[order], batch_size):
            yield self._rows[:, torch.from_numpy(order[places]).to(self._device)]


def group_batches(groups: npt.NDArray[np.int64], batch_size: int) -> list[npt.NDArray[np.int64]]:
    """Places of `groups` in batches of at most `batch_size`, and at least two, without two of one group in any.

    The k-th member of every group goes to the k-th round, and rounds are cut into batches of nearly one size. A round of a single place
    is left out: it has nothing to be compared with.
    """
    by_group = np.argsort(groups, kind="stable")
    ordered = groups[by_group]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    rounds = np.empty(len(groups), dtype=np.int64)
    rounds[by_group] = np.arange(len(groups)) - np.repeat(starts, np.diff(starts, append=len(groups)))
    batches: list[npt.NDArray[np.int64]] = []
    for number in range(int(rounds.max(initial=-1)) + 1):
        places = np.flatnonzero(rounds == number)
        if len(places) > 1:
            pieces = min(-(-len(places) // batch_size), len(places) // 2)
            batches += np.array_split(places, pieces)
    return batches
