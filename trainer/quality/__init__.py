"""Scorers of repaints: what people look at before they publish."""

from __future__ import annotations

from trainer.quality.protocol import Scorer, ScoringContext
from trainer.quality.registry import DEFAULT_SCORERS, NAMED_MODELS, SCORERS

__all__ = ["DEFAULT_SCORERS", "NAMED_MODELS", "SCORERS", "Scorer", "ScoringContext"]
