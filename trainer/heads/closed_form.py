"""What a head in closed form is: fitted in one go from pairs, without a gradient."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainer.heads.siamese import SiameseHead

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


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


class ClosedFormHead(SiameseHead):
    """A head whose buffers are computed, not trained. What `fit` cannot know (shrinkage, dimension) it chooses on `validation`."""

    @abstractmethod
    def fit(self, train: FittingPairs, validation: FittingPairs | None = None) -> None:
        """Compute the buffers from the training pairs; choose what is free by the mean reciprocal rank on the validation pairs.

        Without validation pairs it takes its defaults. Equal pairs give equal buffers.
        """
