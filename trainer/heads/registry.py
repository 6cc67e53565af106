"""The heads that are installed, and how one is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.registry import ComponentRegistry

if TYPE_CHECKING:
    from trainer.fit.config import TrainingConfig
    from trainer.heads.siamese import SiameseHead

DEFAULT_HEAD = "mlp"

HEADS: ComponentRegistry[SiameseHead] = ComponentRegistry(group="paragone.heads", kind="head")


def new_head(dimension: int, config: TrainingConfig) -> SiameseHead:
    """The configured head with fresh weights; raises `UnknownComponent` if it is not installed."""
    return HEADS.load(config.head)(dimension=dimension, hidden=config.hidden, out=config.out, dropout=config.dropout)
