"""The evaluation: the trained head beside frozen CLIP and chance, over all triplets of a part and by level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from trainer.errors import NothingToTrainOn
from trainer.scoring import Score, chance, score_triplets

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.head import SiameseHead
    from trainer.rows import TripletRows

#: Pictures projected at once.
_BATCH = 8192

_TITLES = {"trained": "trained head", "clip": "frozen CLIP", "chance": "chance"}


class Evaluation(BaseModel):
    """All rows of the table, and how many triplets could not be judged because a picture is gone."""

    model_config = ConfigDict(frozen=True)

    scores: tuple[Score, ...]
    left_out: int = 0

    def find(self, scorer: str, level: str = "all") -> Score:
        """One row; raises `KeyError` if the level was not judged."""
        for score in self.scores:
            if (score.scorer, score.level) == (scorer, level):
                return score
        raise KeyError((scorer, level))


def evaluate(head: SiameseHead, vectors: npt.NDArray[np.float32], rows: TripletRows) -> Evaluation:
    """Judge the head and frozen CLIP on the same triplets; raises `NothingToTrainOn` if there is none."""
    if not len(rows):
        raise NothingToTrainOn("there is no triplet to judge by: the pictures of the test side have no embeddings")
    projected = project(head, vectors)
    everything = np.ones(len(rows), dtype=np.bool_)
    levels = {"all": everything, **{str(level): rows.levels == level for level in np.unique(rows.levels)}}
    scores: list[Score] = []
    for level, chosen in levels.items():
        scores.append(score_triplets("trained", level, projected, rows, chosen))
        scores.append(score_triplets("clip", level, vectors, rows, chosen))
        scores.append(chance(level, rows, chosen))
    return Evaluation(scores=tuple(scores), left_out=rows.left_out)


@torch.no_grad()
def project(head: SiameseHead, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, dimension) CLIP vectors to (N, out) unit vectors of the head."""
    head = head.eval()
    parts = [head(part).numpy() for part in torch.split(torch.from_numpy(vectors), _BATCH)]
    return np.concatenate(parts).astype(np.float32)


COLUMNS = ("level", "scorer", "triplets", "accuracy", "95 %", "s+", "s-", "margin", "ROC-AUC", "R@1", "of")


def table(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """The rows under `COLUMNS`, as texts."""
    return [
        (
            score.level,
            _TITLES.get(score.scorer, score.scorer),
            str(score.triplets),
            f"{score.accuracy:.3f}",
            "" if score.accuracy_interval is None else "{:.3f}-{:.3f}".format(*score.accuracy_interval),
            _figure(score.positive),
            _figure(score.negative),
            _figure(score.margin),
            f"{score.roc_auc:.3f}",
            f"{score.recall_at_1:.3f}",
            str(score.gallery),
        )
        for score in evaluation.scores
    ]


def plain_table(evaluation: Evaluation) -> str:
    """The table for a terminal."""
    lines = [COLUMNS, *table(evaluation)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    left = 2
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
