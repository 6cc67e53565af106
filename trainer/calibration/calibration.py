"""A model's calibration: which question each probability answers, by which curve, and how far it can be believed.

Kept beside the model as `calibration.json`: numbers alone, so that reading it runs no code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from trainer.calibration.curve import CalibrationCurve
from trainer.calibration.reliability import Reliability
from trainer.calibration.search_cases import CANDIDATES, margins
from trainer.errors import BadModelFolder

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

CALIBRATION = "calibration.json"

PAIR_QUESTION = (
    "Are these two pictures an original and its repaint, if one pair in two is, and the others are of a repaint with the nearest other "
    "original, with one of the same artist, or with any, equally often?"
)
SEARCH_QUESTION = "Is this one of the nearest originals the origin of the query, if the gallery holds the origin of one query in two?"


class PairCalibration(BaseModel):
    """From the cosine of two pictures to the probability of `question`."""

    model_config = ConfigDict(frozen=True)

    question: str = PAIR_QUESTION
    curve: CalibrationCurve
    #: On pairs of artists that the curve was not fitted on; None where there are too few to leave any out.
    reliability: Reliability | None = None

    def probability(self, cosine: float) -> tuple[float, tuple[float, float]]:
        """The probability and its 95 % interval."""
        score = np.array([cosine])
        low, high = self.curve.interval(score)
        return float(self.curve.probability(score)[0]), (float(low[0]), float(high[0]))


class CandidateProbabilities(BaseModel):
    """Of the nearest candidates of one query, in their order."""

    model_config = ConfigDict(frozen=True)

    probabilities: tuple[float, ...]
    #: Of the nearest; None without a candidate.
    interval: tuple[float, float] | None
    #: That none of them is the origin.
    none: float


class SearchCalibration(BaseModel):
    """From the similarities of the nearest originals to the probability, for each, of `question`.

    The curve is over `similarity_weight * similarity + margin_weight * margin`: both count upwards or not at all.
    """

    model_config = ConfigDict(frozen=True)

    question: str = SEARCH_QUESTION
    similarity_weight: float
    margin_weight: float
    curve: CalibrationCurve
    #: Originals that were searched: among many more, chance comes nearer.
    gallery: int
    #: Of the nearest of each search, for artists that the curve was not fitted on.
    reliability: Reliability | None = None

    def score(self, similarities: Floats, above: Floats) -> Floats:
        """What the curve is over."""
        return self.similarity_weight * similarities + self.margin_weight * above

    def judge(self, similarities: Floats, groups: Numbers) -> CandidateProbabilities:
        """The candidates of one query: (k,) falling similarities, and the group of copies of each.

        At most `CANDIDATES` are judged, as in the fit. Copies of one work share its probability, and all together have at most 1.
        """
        s, g = similarities[:CANDIDATES][None, :], groups[:CANDIDATES][None, :]
        if not s.size:
            return CandidateProbabilities(probabilities=(), interval=None, none=1.0)
        scores = self.score(s, margins(s, g))[0]
        p = self.curve.probability(scores)
        _, first = np.unique(g[0], return_index=True)
        total = max(1.0, float(p[first].sum()))
        low, high = (float(limit[0] / total) for limit in self.curve.interval(scores[:1]))
        return CandidateProbabilities(
            probabilities=tuple((p / total).tolist()), interval=(low, high), none=max(0.0, 1 - float(p[first].sum()) / total)
        )


class ModelCalibration(BaseModel):
    """`calibration.json`."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    seed: int
    pairs: PairCalibration
    #: None where the validation queries are too few.
    search: SearchCalibration | None = None


def write_calibration(directory: Path, calibration: ModelCalibration | None) -> None:
    """Keep it beside the model; without one, take away what an earlier training left."""
    path = directory / CALIBRATION
    if calibration is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(calibration.model_dump_json(indent=2), encoding="utf-8")


def read_calibration(directory: Path) -> ModelCalibration | None:
    """That of a model folder; None if it has none, as older ones. Raises `BadModelFolder` for a file that is none."""
    path = directory / CALIBRATION
    try:
        return ModelCalibration.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadModelFolder(f"{path} cannot be read ({error}): train again, or remove it and do without probabilities") from None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise BadModelFolder(
            f"{path} is not a calibration ({place}: {fault['msg']}): train again, or remove it and do without probabilities"
        ) from None
