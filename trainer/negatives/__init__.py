"""Negatives: one strategy a file."""

from __future__ import annotations

from trainer.negatives.other_style import OtherStyle
from trainer.negatives.protocol import NegativeStrategy

__all__ = ["NegativeStrategy", "OtherStyle"]
