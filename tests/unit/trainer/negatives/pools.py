"""Small pools to draw negatives from, and hypothesis strategies that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from db.results.pairs import Repaint
from trainer.data.originals import GroupedOriginal
from trainer.negatives import NegativePool

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

LEVELS = ("moderate", "radical")
STYLES = ("Cubism", "Rococo", "Baroque")
ARTISTS = ("Ada", "Bo")
ASPECTS = (0.75, 0.76, 1.0, 1.5)


def original(
    number: int, *, group: str | None = None, styles: Sequence[str] = (), artist: str | None = None, aspect: float = 1.0
) -> GroupedOriginal:
    return GroupedOriginal(
        artwork_id=number,
        key=f"work-{number:03}",
        group_key=group or f"g{number}",
        content_hash=f"{number:064x}",
        styles=frozenset(styles),
        artist=artist,
        aspect=aspect,
    )


def repaint(of: GroupedOriginal, level: str = "moderate", ordinal: int = 0) -> Repaint:
    number = int(of.content_hash, 16) * 10 + LEVELS.index(level) * 5 + ordinal
    return Repaint(
        image_id=number,
        artwork_id=of.artwork_id,
        variation_id=number,
        level=level,
        ordinal=ordinal,
        seed=0,
        content_hash=f"{number + 10**6:064x}",
        pixel_hash="",
        width=8,
        height=8,
        prompt="",
        prompt_tokens=0,
        brief="",
        caption=None,
        recaption=None,
        provenance={},
    )


def vectors_of(originals: Sequence[GroupedOriginal], seed: int = 0) -> npt.NDArray[np.float32]:
    """Unit vectors in which works of one number modulo five are much alike."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(5, 16))
    found = np.array([centres[int(one.content_hash, 16) % 5] for one in originals]).reshape(-1, 16)
    found = found + random.normal(size=found.shape) * 0.6
    scaled: npt.NDArray[np.float32] = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def pool_of(
    originals: Sequence[GroupedOriginal],
    repaints: Sequence[Repaint] = (),
    vectors: npt.NDArray[np.float32] | None = None,
    hashes: npt.NDArray[np.uint64] | None = None,
) -> NegativePool:
    near = vectors_of(originals) if vectors is None else vectors
    return NegativePool(
        originals=originals,
        repaints=repaints,
        vectors=lambda rows: near[rows],
        hashes=None if hashes is None else lambda rows: hashes[rows],
    )


@st.composite
def pools(draw: st.DrawFn) -> NegativePool:
    """Up to 30 originals in few groups, styles, artists and shapes, with repaints of some."""
    facts = st.tuples(
        st.integers(0, 12), st.sets(st.sampled_from(STYLES), max_size=2), st.sampled_from([None, *ARTISTS]), st.sampled_from(ASPECTS)
    )
    drawn = draw(st.lists(facts, min_size=1, max_size=30))
    originals = [
        original(number, group=f"g{group}", styles=sorted(styles), artist=artist, aspect=aspect)
        for number, (group, styles, artist, aspect) in enumerate(drawn)
    ]
    levels = draw(st.lists(st.sets(st.sampled_from(LEVELS)), min_size=len(originals), max_size=len(originals)))
    return pool_of(originals, [repaint(one, level) for one, made in zip(originals, levels, strict=True) for level in sorted(made)])
