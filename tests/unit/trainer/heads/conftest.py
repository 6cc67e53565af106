"""Pairs on which heads in closed form can show what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from trainer.heads.closed_form import FittingPairs

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., FittingPairs]


@pytest.fixture
def nuisance_pairs() -> Made:
    """Originals with two repaints each: what tells them apart is weak, and lies beside a subspace that each picture fills anew.

    `first` is the number of the first group, so that sides share no group; all sides share the directions of signal and nuisance.
    """

    def made(count: int, *, first: int = 0, signal: int = 12, nuisance: int = 8, noise: float = 3.0, seed: int = 0) -> FittingPairs:
        dimension = signal + nuisance
        rotation = np.linalg.qr(np.random.default_rng(99).normal(size=(dimension, dimension)))[0]
        random = np.random.default_rng([seed, first])
        who = random.normal(size=(count, signal))

        def seen(rows: Any) -> Any:
            own = rows + 0.3 * random.normal(size=rows.shape)
            return (np.concatenate([own, noise * random.normal(size=(len(rows), nuisance))], axis=1) @ rotation).astype(np.float32)

        of = np.repeat(np.arange(count), 2)
        return FittingPairs(
            originals=seen(who),
            repaints=seen(who[of]),
            original_of_repaint=of,
            groups=np.arange(first, first + count),
            levels=np.where(np.arange(2 * count) % 2 == 0, "moderate", "radical"),
        )

    return made
