"""Small tables and similarities with all that a metric must get right: ties, copies, unknown artists and styles, many repaints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from trainer.data.pair_table import OriginalColumns, PairTable, RepaintColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from trainer.metrics.similarities import Block, Rows

#: Similarities are multiples of this, each off by far less than what counts as a difference.
STEP = 0.25
NOISE = 1e-7


@dataclass
class MatrixSimilarities:
    """Similarities that are written down: (N, N), (N, M), (M, N) and (M, M)."""

    oo: Block
    om: Block
    mo: Block
    mm: Block

    def originals_to_originals(self, rows: Rows) -> Block:
        return self.oo[rows]

    def originals_to_repaints(self, rows: Rows) -> Block:
        return self.om[rows]

    def repaints_to_originals(self, rows: Rows) -> Block:
        return self.mo[rows]

    def repaints_to_repaints(self, rows: Rows) -> Block:
        return self.mm[rows]


def a_table(
    groups: Sequence[int],
    owners: Sequence[int],
    *,
    artists: Sequence[int] | None = None,
    styles: Sequence[frozenset[str]] | None = None,
    aspects: Sequence[float] | None = None,
    levels: Sequence[str] | None = None,
) -> PairTable:
    count, made = len(groups), len(owners)
    return PairTable(
        originals=OriginalColumns(
            keys=tuple(f"k{row}" for row in range(count)),
            hashes=tuple(f"o{row}" for row in range(count)),
            groups=np.array(groups, dtype=np.int64),
            artists=np.array(artists if artists is not None else groups, dtype=np.int64),
            styles=tuple(styles if styles is not None else [frozenset({"Cubism"})] * count),
            aspects=np.array(aspects if aspects is not None else np.ones(count), dtype=np.float64),
            captions=("",) * count,
        ),
        repaints=RepaintColumns(
            hashes=tuple(f"r{row}" for row in range(made)),
            originals=np.array(owners, dtype=np.int64),
            levels=np.array(levels if levels is not None else ["radical"] * made, dtype=np.str_),
            ordinals=np.arange(made),
            seeds=(0,) * made,
            prompts=("",) * made,
            captions=("",) * made,
        ),
        group_names=tuple(f"g{group}" for group in range(max(groups) + 1)),
        artist_names=("a", "b", "c"),
    )


@st.composite
def tables_with_similarities(draw: st.DrawFn) -> tuple[PairTable, MatrixSimilarities]:
    """Sizes by hypothesis, all else from one seed: many small draws would take most of a test's time."""
    n, m = draw(st.integers(2, 7)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    styles = rng.integers(0, 2, size=(n, 3)).astype(np.bool_) & (rng.random(size=(n, 1)) < 0.8)
    table = a_table(
        rng.integers(0, 5, size=n).tolist(),
        rng.integers(0, n, size=m).tolist(),
        artists=rng.integers(-1, 3, size=n).tolist(),
        styles=[frozenset(np.array(list("ABC"))[row].tolist()) for row in styles],
        aspects=rng.choice([1.0, 1.015, 1.5], size=n).tolist(),
        levels=rng.choice(["moderate", "radical"], size=m).tolist(),
    )
    return table, MatrixSimilarities(*(stepped(rng, shape) for shape in ((n, n), (n, m), (m, n), (m, m))))


def stepped(rng: np.random.Generator, shape: tuple[int, ...]) -> Block:
    scores = STEP * rng.integers(0, 4, size=shape) + rng.uniform(-NOISE, NOISE, size=shape)
    return scores.astype(np.float32)


def exact(scores: Block) -> npt.NDArray[np.float64]:
    """Without the noise: what is a tie is equal."""
    return np.round(scores.astype(np.float64) / STEP) * STEP


def unit_vectors(rng: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    drawn = rng.normal(size=shape)
    scaled: npt.NDArray[np.float32] = (drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)).astype(np.float32)
    return scaled
