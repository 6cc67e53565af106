"""The heads that are installed, and how one is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainer.errors import UnknownComponent
from trainer.registry import ComponentRegistry

if TYPE_CHECKING:
    from trainer.fit.config import TrainingConfig
    from trainer.heads.siamese import SiameseHead

DEFAULT_HEAD = "mlp"

HEADS: ComponentRegistry[SiameseHead] = ComponentRegistry(group="paragone.heads", kind="head")


def new_head(dimension: int, config: TrainingConfig) -> SiameseHead:
    """The configured head with fresh weights; raises `UnknownComponent` if it is not installed."""
    if config.parts:
        from trainer.heads.fused import FusedHead

        heads = [new_head(part.dimension, config.of_part(part)) for part in config.parts]
        return FusedHead(heads, [part.columns for part in config.parts])
    return head_named(config.head, dimension, config)


def head_named(name: str, dimension: int, config: TrainingConfig) -> SiameseHead:
    """A head over all of a vector."""
    from trainer.heads.closed_form import ClosedFormHead
    from trainer.heads.fused import FusedHead
    from trainer.heads.mlp import MlpHead

    made = HEADS.load(name)
    if issubclass(made, FusedHead):
        raise UnknownComponent(f"the head {name!r} is made of parts: name them as SPACE=NAME, one for each space")
    if issubclass(made, ClosedFormHead):
        return made(dimension=dimension, hidden=config.hidden, out=config.components or dimension, dropout=config.dropout)
    options: dict[str, Any] = {"scaled": False} if made is MlpHead and config.recipe == 1 else {}
    return made(dimension=dimension, hidden=config.hidden, out=config.out, dropout=config.dropout, **options)
