"""The evaluation: the trained head beside frozen CLIP and chance, over all triplets of a split and by level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from trainer.data.embeddings import unit_length
from trainer.errors import NothingToTrainOn
from trainer.evaluate.metrics import Score, chance, score_triplets
from trainer.evaluate.verdict import size_notes
from trainer.evaluation.table import EvaluationTable
from trainer.heads.projection import project
from trainer.spaces.space_slice import frozen_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from trainer.data.triplet_indices import TripletIndices
    from trainer.heads.siamese import SiameseHead
    from trainer.spaces.space_slice import SpaceSlice


class Evaluation(BaseModel):
    """All rows of the table, and how many triplets could not be evaluated because an image is missing."""

    model_config = ConfigDict(frozen=True)

    scores: tuple[Score, ...]
    left_out: int = 0
    #: What a reader must know before believing the figures, a line each.
    notes: tuple[str, ...] = ()
    #: Scorers over all negatives of each kind; None in what was saved before there was such a table.
    table: EvaluationTable | None = None

    def find(self, scorer: str, level: str = "all") -> Score:
        """One row; raises `KeyError` if the level was not evaluated."""
        for score in self.scores:
            if (score.scorer, score.level) == (scorer, level):
                return score
        raise KeyError((scorer, level))


def evaluate_head(
    head: SiameseHead, vectors: npt.NDArray[np.float32], indices: TripletIndices, *, spaces: Sequence[SpaceSlice] = ()
) -> Evaluation:
    """Evaluate the head and frozen CLIP on the same triplets; raises `NothingToTrainOn` if there is none.

    Of vectors of several spaces frozen CLIP is CLIP's part; where CLIP is not among them, the first space stands under its own name.
    """
    if not len(indices):
        raise NothingToTrainOn("there is no triplet to evaluate: the images of the test split have no embeddings")
    projected = project(head, vectors)
    frozen, scorer = vectors, "clip"
    if spaces:
        chosen_space = frozen_slice(spaces)
        frozen = vectors[:, chosen_space.columns]
        if not chosen_space.is_clip:
            frozen, scorer = unit_length(frozen), chosen_space.name
    everything = np.ones(len(indices), dtype=np.bool_)
    levels = {"all": everything, **{str(level): indices.levels == level for level in np.unique(indices.levels)}}
    scores: list[Score] = []
    for level, chosen in levels.items():
        scores.append(score_triplets("trained", level, projected, indices, chosen))
        scores.append(score_triplets(scorer, level, frozen, indices, chosen))
        scores.append(chance(level, indices, chosen))
    return Evaluation(scores=tuple(scores), left_out=indices.left_out, notes=size_notes(indices.groups))
