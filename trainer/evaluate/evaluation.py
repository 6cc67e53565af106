"""The evaluation: the trained head beside frozen CLIP and chance, over all triplets of a split and by level."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from trainer.errors import NothingToTrainOn
from trainer.evaluate.metrics import Score, chance, score_triplets
from trainer.evaluation.projection import project_rows
from trainer.evaluation.table import EvaluationTable
from trainer.heads.projection import project

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.triplet_indices import TripletIndices
    from trainer.heads.siamese import SiameseHead


class Evaluation(BaseModel):
    """All rows of the table, and how many triplets could not be evaluated because an image is missing."""

    model_config = ConfigDict(frozen=True)

    scores: tuple[Score, ...]
    left_out: int = 0
    #: Scorers over all negatives of each kind; None in what was saved before there was such a table.
    table: EvaluationTable | None = None

    def find(self, scorer: str, level: str = "all") -> Score:
        """One row; raises `KeyError` if the level was not evaluated."""
        for score in self.scores:
            if (score.scorer, score.level) == (scorer, level):
                return score
        raise KeyError((scorer, level))


def evaluate_head(head: SiameseHead, vectors: npt.NDArray[np.float32], indices: TripletIndices) -> Evaluation:
    """Evaluate the head and frozen CLIP on the same triplets; raises `NothingToTrainOn` if there is none."""
    if not len(indices):
        raise NothingToTrainOn("there is no triplet to evaluate: the images of the test split have no embeddings")
    projected = project_rows(vectors, np.arange(len(vectors)), partial(project, head))
    everything = np.ones(len(indices), dtype=np.bool_)
    levels = {"all": everything, **{str(level): indices.levels == level for level in np.unique(indices.levels)}}
    scores: list[Score] = []
    for level, chosen in levels.items():
        scores.append(score_triplets("trained", level, projected, indices, chosen))
        scores.append(score_triplets("clip", level, vectors, indices, chosen))
        scores.append(chance(level, indices, chosen))
    return Evaluation(scores=tuple(scores), left_out=indices.left_out)
