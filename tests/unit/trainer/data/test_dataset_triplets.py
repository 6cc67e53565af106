"""By which strategy the triplets of a dataset are drawn, and what is said of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from db.training import Split
from tests.unit.trainer.negatives.pools import original, repaint, vectors_of
from trainer.data.dataset_triplets import choose_negatives, notes_of
from trainer.data.embeddings import Embeddings
from trainer.errors import NothingToTrainOn, UnknownComponent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.data.dataset import EmbeddingDataset
    from trainer.data.dataset_triplets import ChosenNegatives
    from trainer.data.originals import GroupedOriginal

ONE_STYLE = [original(number, styles=["Cubism"]) for number in range(8)]
TWO_STYLES = [original(number, styles=[("Cubism", "Rococo")[number // 2 % 2]], artist="Ada") for number in range(8)]
SPLITS = {f"g{number}": Split.TEST if number < 4 else Split.TRAIN for number in range(8)}


def choose(originals: Sequence[GroupedOriginal], named: str | None = None) -> ChosenNegatives:
    repaints = [repaint(one) for one in originals]
    vectors = np.concatenate([vectors_of(originals), vectors_of(originals, seed=1)])
    hashes = [one.content_hash for one in originals] + [one.content_hash for one in repaints]
    rows = {content_hash: row for row, content_hash in enumerate(hashes)}
    dataset = SimpleNamespace(
        originals=originals, repaints=repaints, embeddings=Embeddings(vectors=vectors, rows=rows), hashes=None, spaces=()
    )
    return choose_negatives(cast("EmbeddingDataset", dataset), SPLITS, named=named, per_repaint=2, seed=0)


def test_the_default_is_recorded_as_it_always_was() -> None:
    chosen = choose(TWO_STYLES)

    assert chosen.recipe() == {"negatives": "other-style"}
    assert notes_of(chosen.recipe()) == []


def test_works_of_one_style_are_trained_on_with_negatives_of_any_style_and_that_is_said() -> None:
    chosen = choose(ONE_STYLE)

    assert chosen.recipe() == {
        "negatives": "any",
        "instead_of": {"negatives": "other-style", "reason": "no original of another style in its part"},
    }
    assert len(chosen.drawn.triplets) == 16
    assert notes_of(chosen.recipe()) == [
        "negatives are drawn by 'any' instead of 'other-style': no original of another style in its part",
    ]


def test_a_strategy_that_was_named_is_not_replaced() -> None:
    with pytest.raises(NothingToTrainOn, match="--negative-strategy any"):
        choose(ONE_STYLE, "other-style")
    with pytest.raises(UnknownComponent, match="'farthest'"):
        choose(ONE_STYLE, "farthest")


def test_fallbacks_are_recorded_and_said() -> None:
    chosen = choose(ONE_STYLE, "same-artist")

    reason = "same-artist: artist unknown, so same-style"
    assert chosen.recipe() == {"negatives": "same-artist", "fell_back": {reason: 8}}
    assert notes_of(chosen.recipe()) == [f"8 times {reason}"]
    assert "fell_back" not in choose(TWO_STYLES, "same-artist").recipe()


def test_a_mixture_is_recorded_in_its_canonical_form_and_draws_by_the_datasets_vectors() -> None:
    chosen = choose(TWO_STYLES, "other-style:2, nearest:2")

    assert chosen.recipe()["negatives"] == "nearest:1,other-style:1"
    assert len(chosen.drawn.triplets) == 16
