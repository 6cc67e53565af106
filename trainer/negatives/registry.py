"""The negative strategies that are installed, and mixtures of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trainer.negatives.mixture import NegativeMixture, parse_mixture
from trainer.registry import ComponentRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.negatives.protocol import NegativePool, NegativeStrategy

DEFAULT_NEGATIVES = "other-style"

NEGATIVES: ComponentRegistry[NegativeStrategy] = ComponentRegistry(group="paragone.negatives", kind="negative strategy")


def check_strategy(text: str) -> str:
    """A name, or a mixture such as `other-style:2,nearest:1`, as it is recorded; nothing is imported. Raises `UnknownComponent`."""
    weights = parse_mixture(text)
    for name in weights:
        NEGATIVES.check(name)
    return ",".join(f"{name}:{weight}" for name, weight in weights.items()) if len(weights) > 1 else next(iter(weights))


def load_strategy(text: str) -> Callable[[NegativePool], NegativeStrategy]:
    """What makes the strategy of that name, or the mixture; raises `UnknownComponent`."""
    weights = parse_mixture(text)
    if len(weights) == 1:
        return NEGATIVES.load(next(iter(weights)))
    return partial(NegativeMixture, parts={name: (NEGATIVES.load(name), weight) for name, weight in weights.items()})
