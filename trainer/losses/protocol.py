"""What a loss is: over triplets, two cosines in; over a batch of pairs, the vectors in; with a temperature, and one number out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class TripletLoss(Protocol):
    """Scores the triplets of one step; registered under its name in the entry point group `paragone.losses`.

    It is built without arguments and holds no weights. The temperature is the training loop's: it may be learned, and it is kept in the
    checkpoint and with the model.
    """

    def __init__(self) -> None: ...

    def __call__(self, s_plus: Tensor, s_minus: Tensor, t: Tensor) -> Tensor:
        """The mean loss, a scalar that can be differentiated.

        `s_plus` and `s_minus`, each (N,), are the cosines of the anchors to their positives and to their negatives; `t` is a scalar.
        """
        ...


class BatchLoss(ABC):
    """Scores pairs against all others of their batch; registered beside the losses over triplets, of which it takes the place.

    No two pairs of a batch are of one group of copies, so every other row is a true negative. Drawn negatives are not used.
    """

    @abstractmethod
    def __call__(self, originals: Tensor, repaints: Tensor, t: Tensor) -> Tensor:
        """The mean loss, a scalar that can be differentiated.

        `originals` and `repaints`, each (N, out), are unit vectors, and row i of one belongs to row i of the other; `t` is a scalar.
        """
