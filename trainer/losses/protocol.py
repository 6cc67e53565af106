"""What a loss over triplets is: two cosines and a temperature in, one number out."""

from __future__ import annotations

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
