"""The losses that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.registry import ComponentRegistry

if TYPE_CHECKING:
    from trainer.losses.protocol import BatchLoss, TripletLoss

DEFAULT_LOSS = "contrastive"

LOSSES: ComponentRegistry[TripletLoss | BatchLoss] = ComponentRegistry(group="paragone.losses", kind="loss")
