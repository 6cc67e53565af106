"""Whether a repaint is not safe for work, from 0 to 1, by a classifier that the command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.errors import ScoringImpossible
from trainer.quality.image_classifier import ClassifierScorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.quality.image_classifier import Activation

#: What classifiers call it; where none says "nsfw" outright, the probabilities of the others are added.
_OUTRIGHT = ("nsfw", "not safe for work", "unsafe")
_KINDS = ("porn", "hentai", "sexy", "explicit", "nudity", "nude")


class Nsfw(ClassifierScorer):
    """The probability of the label "nsfw", or of the labels that mean it."""

    name = "nsfw"

    def weights(self, labels: Sequence[str], activation: Activation) -> tuple[list[float], Activation]:
        """1 for each label that means it."""
        plain = [label.strip().replace("_", " ").replace("-", " ").casefold() for label in labels]
        for meant in (_OUTRIGHT, _KINDS):
            if any(label in meant for label in plain):
                # One label alone is a yes or no, not one of several.
                return [float(label in meant) for label in plain], "sigmoid" if len(labels) == 1 else activation
        raise ScoringImpossible(f"{self.model} has no label that means nsfw: it knows {', '.join(labels)}")
