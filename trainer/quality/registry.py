"""The scorers that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.quality.names import SCORER_GROUP
from trainer.registry import ComponentRegistry

if TYPE_CHECKING:
    from trainer.quality.protocol import Scorer

SCORERS: ComponentRegistry[Scorer] = ComponentRegistry(group=SCORER_GROUP, kind="scorer")

#: What is measured unless scorers are named; those of named models come on top.
DEFAULT_SCORERS = ("similarity", "prompt_agreement", "near_duplicates")

#: Scorers that need a model named.
NAMED_MODELS = ("aesthetic", "nsfw")
