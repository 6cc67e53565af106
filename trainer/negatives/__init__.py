"""Negative strategies, one a file, registered in the entry point group `paragone.negatives`."""

from __future__ import annotations

from trainer.negatives.other_style import OtherStyle
from trainer.negatives.protocol import NegativePool, NegativeStrategy, RepaintNegativeStrategy

__all__ = ["NegativePool", "NegativeStrategy", "OtherStyle", "RepaintNegativeStrategy"]
