"""The negative strategies that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.registry import ComponentRegistry

if TYPE_CHECKING:
    from trainer.negatives.protocol import NegativeStrategy

DEFAULT_NEGATIVES = "other-style"

NEGATIVES: ComponentRegistry[NegativeStrategy] = ComponentRegistry(group="paragone.negatives", kind="negative strategy")
