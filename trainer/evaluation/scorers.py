"""What the table compares: a name, a kind, and how alike it finds pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.evaluation.table import ScorerKind

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.metrics.similarities import Block, Rows, Similarities

CHANCE = "chance"


@dataclass(frozen=True, kw_only=True)
class EvaluatedScorer:
    """One row of the table before it is computed."""

    #: Its key in JSON, such as "trained" or "clip".
    name: str
    #: Its name for people.
    title: str
    kind: ScorerKind
    similarities: Similarities
    #: (M,) of a straight line that tells repaints from originals on its vectors: the share that it tells right of a repaint and of its
    #: original; None for what has no vectors.
    detected: npt.NDArray[np.float64] | None = None


class EqualSimilarities:
    """All pictures are equally alike: everything ties, so metrics give what chance gives."""

    def __init__(self, originals: int, repaints: int) -> None:
        self._originals, self._repaints = originals, repaints

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N) zeros."""
        return np.zeros((len(rows), self._originals), dtype=np.float32)

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M) zeros."""
        return np.zeros((len(rows), self._repaints), dtype=np.float32)

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N) zeros."""
        return np.zeros((len(rows), self._originals), dtype=np.float32)

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M) zeros."""
        return np.zeros((len(rows), self._repaints), dtype=np.float32)


def chance_scorer(originals: int, repaints: int) -> EvaluatedScorer:
    """The row of chance."""
    return EvaluatedScorer(name=CHANCE, title=CHANCE, kind=ScorerKind.CHANCE, similarities=EqualSimilarities(originals, repaints))
