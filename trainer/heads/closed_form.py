"""What a head in closed form is: fitted in one go from pairs, without a gradient."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from trainer.heads.pair_ranks import mean_reciprocal_rank
from trainer.heads.siamese import SiameseHead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from trainer.heads.second_moments import Floats

CandidateT = TypeVar("CandidateT")

#: Originals by which what is free is chosen, at most; of more, so many evenly spaced ones.
MOST_JUDGED = 2048

#: Mean reciprocal ranks this near are equal: the order of a sum decides no shrinkage.
_EQUAL = 1e-9

#: Vectors projected at once while candidates are compared.
_BATCH = 4096


@dataclass(frozen=True, kw_only=True)
class FittingPairs:
    """Vectors of originals and of their repaints, as the space gives them, and who belongs to whom."""

    #: (n, dimension) and (m, dimension), float32.
    originals: npt.NDArray[np.float32]
    repaints: npt.NDArray[np.float32]
    #: (m,) row of each repaint's original.
    original_of_repaint: npt.NDArray[np.int64]
    #: (n,) number of each original's group of copies.
    groups: npt.NDArray[np.int64]
    #: (m,) level of each repaint; all are of one if they are not told. A query that was altered (mirrored, cropped) is a level of its own.
    levels: npt.NDArray[np.str_] | None = None

    @property
    def level_of_repaint(self) -> npt.NDArray[np.str_]:
        """(m,) the levels, one and the same where none was told."""
        return np.full(len(self.repaints), "all") if self.levels is None else self.levels

    def of_columns(self, columns: slice) -> FittingPairs:
        """The same pairs in one of the spaces whose vectors lie side by side."""
        return replace(self, originals=self.originals[:, columns], repaints=self.repaints[:, columns])

    def at_most(self, count: int) -> FittingPairs:
        """The pairs of so many originals, evenly spaced; the pairs themselves if they are not more."""
        if len(self.originals) <= count:
            return self
        kept = np.linspace(0, len(self.originals) - 1, count).round().astype(np.int64)
        places = np.full(len(self.originals), -1, dtype=np.int64)
        places[kept] = np.arange(count)
        rows = np.flatnonzero(places[self.original_of_repaint] >= 0)
        return FittingPairs(
            originals=self.originals[kept],
            repaints=self.repaints[rows],
            original_of_repaint=places[self.original_of_repaint[rows]],
            groups=self.groups[kept],
            levels=None if self.levels is None else self.levels[rows],
        )


class ClosedFormHead(SiameseHead):
    """A head whose buffers are computed, not trained. What `fit` cannot know (shrinkage, dimension) it chooses on `validation`.

    `out` is the most dimensions it may have; `hidden` and `dropout` mean nothing to it.
    """

    mean: Tensor

    def __init__(self, *, dimension: int, hidden: int = 0, out: int | None = None, dropout: float = 0.0) -> None:
        super().__init__(dimension=dimension, hidden=hidden, out=out or dimension, dropout=dropout)
        self.dimension = dimension
        self.most = min(out or dimension, dimension)
        #: What was chosen, by name: for the record beside the model.
        self.chosen: dict[str, float] = {}
        self.register_buffer("mean", torch.zeros(dimension))

    @abstractmethod
    def fit(self, train: FittingPairs, validation: FittingPairs | None = None) -> None:
        """Compute the buffers from the training pairs; choose what is free by the mean reciprocal rank on the validation pairs.

        Without validation pairs it takes its defaults. Equal pairs give equal buffers.
        """

    def make_room(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Buffers take the shapes that they were fitted to, all but the mean: by it a head for other vectors is told."""
        for name, buffer in self._buffers.items():
            if name != "mean" and name in shapes and buffer is not None and buffer.ndim == len(shapes[name]):
                self._buffers[name] = torch.zeros(shapes[name])

    def hold(self, **buffers: Floats) -> None:
        """Set buffers, computed in float64, as float32."""
        for name, values in buffers.items():
            setattr(self, name, torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)))

    def choose(
        self,
        candidates: Sequence[CandidateT],
        use: Callable[[CandidateT], None],
        validation: FittingPairs | None,
        *,
        default: CandidateT,
    ) -> CandidateT:
        """Try all candidates and leave the head with the best: the largest mean over the levels of the mean reciprocal rank.

        Of equals the default, then the first: few validation pairs are often all found whatever is chosen. `use` sets the buffers.
        """
        best = default
        if validation is not None and len(validation.repaints) and len(candidates) > 1:
            judged, least = validation.at_most(MOST_JUDGED), -1.0
            for candidate in (default, *(other for other in candidates if other != default)):
                use(candidate)
                score = self.validation_score(judged)
                if score > least + _EQUAL:
                    best, least = candidate, score
            self.chosen["validation_mrr"] = round(least, 6)
        use(best)
        return best

    def validation_score(self, pairs: FittingPairs) -> float:
        """The mean over the levels of the mean reciprocal rank of a repaint's own original."""
        originals, repaints = self._projected(pairs.originals), self._projected(pairs.repaints)
        return mean_reciprocal_rank(originals, repaints, pairs)

    @torch.no_grad()
    def _projected(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        chunks = [self(torch.from_numpy(np.ascontiguousarray(vectors[i : i + _BATCH]))).numpy() for i in range(0, len(vectors), _BATCH)]
        return np.concatenate(chunks)
