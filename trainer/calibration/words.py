"""Probabilities in plain words.

From 0.95 it is "very probably", from 0.75 "probably"; between 0.25 and 0.75, and where the 95 % interval holds 0.5, "cannot be told".
"""

from __future__ import annotations

VERY_PROBABLY, PROBABLY = 0.95, 0.75

#: What stands where a probability would.
NO_CALIBRATION = "the model has no calibration (trained before there was one, or on too few pairs): train again, on more"


def adverb(probability: float, interval: tuple[float, float]) -> str | None:
    """The words "very probably" or "probably", of what is above one half; None where it cannot be told."""
    if probability < PROBABLY or interval[0] <= 1 / 2 <= interval[1]:
        return None
    return "very probably" if probability >= VERY_PROBABLY else "probably"


def pair_words(probability: float, interval: tuple[float, float]) -> str:
    """Whether two pictures are an original and its repaint."""
    if (sure := adverb(probability, interval)) is not None:
        return f"{sure} an original and its repaint"
    if (sure := adverb(1 - probability, (1 - interval[1], 1 - interval[0]))) is not None:
        return f"{sure} not an original and its repaint"
    return "cannot be told"


def search_words(nearest: str, probability: float, interval: tuple[float, float], none: float) -> str:
    """Which original a picture was made from; `none` is the probability that it is none of the nearest."""
    if (sure := adverb(probability, interval)) is not None:
        return f"{sure} made from {nearest}"
    if none >= PROBABLY:
        return f"{'very probably' if none >= VERY_PROBABLY else 'probably'} made from none of these"
    return "cannot be told"
