"""How pleasing a repaint is, in the unit of the model that the command names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainer.errors import ScoringImpossible
from trainer.quality.image_classifier import ClassifierScorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.quality.image_classifier import Activation

_NUMBER = re.compile(r"(?:rating|score|stars?)?[ _-]*(\d+(?:\.\d+)?)[ _-]*(?:stars?)?", re.IGNORECASE)
#: What classifiers of two or three labels call the pleasing one.
_PLEASING = ("aesthetic", "hq", "high quality", "high", "good", "beautiful", "best quality")


class Aesthetic(ClassifierScorer):
    """The number of a regression, else the mean of labels that are ratings by their probability, else the probability of the good label."""

    name = "aesthetic"

    def weights(self, labels: Sequence[str], activation: Activation) -> tuple[list[float], Activation]:
        """What each label is worth."""
        plain = [label.strip().replace("_", " ").replace("-", " ").casefold() for label in labels]
        if len(labels) == 1:
            return [1.0], "none"
        ratings = [_NUMBER.fullmatch(label.strip()) for label in labels]
        if all(ratings):
            return [float(rating[1]) for rating in ratings if rating], activation
        if any(label in _PLEASING for label in plain):
            return [float(label in _PLEASING) for label in plain], activation
        raise ScoringImpossible(
            f"{self.model} has neither one number nor ratings nor a label such as `aesthetic`: it knows {', '.join(labels)}"
        )
