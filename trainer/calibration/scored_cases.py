"""Scored cases of which the truth is known: what a curve is fitted on and judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.pair_table import UNKNOWN

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable

    Floats = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ScoredCases:
    """Arrays (n,), one entry a case."""

    scores: Floats
    #: Whether it is so: the pair is an original and its repaint, the candidate is the query's origin.
    truth: npt.NDArray[np.bool_]
    weights: Floats
    #: Cases of one artist are not independent: they are drawn and left out together.
    artists: Numbers

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, chosen: npt.NDArray[np.bool_]) -> ScoredCases:
        """The chosen cases."""
        return ScoredCases(scores=self.scores[chosen], truth=self.truth[chosen], weights=self.weights[chosen], artists=self.artists[chosen])


def artists_of_repaints(table: PairTable) -> Numbers:
    """(M,) a number for each repaint's artist, or for its group of copies where the artist is unknown."""
    artists = table.originals.artists[table.repaints.originals]
    own: Numbers = np.where(artists == UNKNOWN, len(table.artist_names) + table.repaint_groups, artists)
    return own
