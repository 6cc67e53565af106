"""Any head is fitted by one call: in closed form, by the loop, or part by part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from trainer.errors import BadCheckpoint, NothingToTrainOn
from trainer.evaluate.evaluation import evaluate_head
from trainer.fit.config import TrainingConfig
from trainer.fit.curves import plot_splits
from trainer.fit.head_fit import FittingData, fit_head, head_fit
from trainer.fit.history import History
from trainer.fit.loop import TrainingLoop
from trainer.heads.closed_form import FittingPairs
from trainer.heads.fused import FusedHead
from trainer.heads.pair_whitening import PairWhiteningHead
from trainer.heads.parts import parse_heads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from trainer.data.triplet_indices import TripletIndices
    from trainer.fit.fitted import FittedHead

    Indices = Callable[..., TripletIndices]
    Vectors = Callable[[int], npt.NDArray[np.float32]]

COUNT = 90
SMALL = {"epochs": 3, "batch_size": 32, "hidden": 16, "out": 16}


@pytest.fixture
def data(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> FittingData:
    """Two spaces of 32 dimensions side by side: one that misleads, and one of noise."""
    random = np.random.default_rng(4)
    misleading = misleading_vectors(COUNT)
    return FittingData(
        vectors=np.concatenate([misleading, random.normal(size=misleading.shape).astype(np.float32)], axis=1),
        train=indices(COUNT, 0, 50),
        validation=indices(COUNT, 50, 70),
        directory=tmp_path,
        triplet_hash="t",
    )


def same_head(one: FittedHead, other: FittedHead) -> bool:
    mine, theirs = one.head.state_dict(), other.head.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in mine.items())


@pytest.mark.parametrize("head", ["pair-whitening", "lda", "ridge", "pca-whitening", "frozen", "centred"])
def test_a_closed_form_is_fitted_without_an_epoch_and_resumed_as_it_was(head: str, data: FittingData) -> None:
    config = TrainingConfig(head=head)
    called: list[object] = []

    first = fit_head(config, data, called.append)
    again = head_fit(config, data)

    assert again.resume()
    second = again.run(called.append)
    assert same_head(first, second)
    assert first.history == second.history
    assert (called, again.epochs_done, first.history.best_epoch) == ([], 0, 0)
    assert not first.head.training


def test_a_closed_form_learns_what_the_frozen_space_cannot_tell(data: FittingData, indices: Indices) -> None:
    fitted = fit_head(TrainingConfig(head="pair-whitening"), data)

    evaluation = evaluate_head(fitted.head, data.vectors, indices(COUNT, 70, COUNT))

    assert evaluation.find("trained").accuracy > evaluation.find("clip").accuracy + 0.3
    assert fitted.history.chosen["shrinkage"] in {0.01, 0.05, 0.2}


def test_what_an_earlier_fit_left_is_refused_by_others_and_forgotten_on_request(data: FittingData) -> None:
    fit_head(TrainingConfig(head="lda"), data)

    with pytest.raises(BadCheckpoint, match="other parameters or triplets, or of an earlier version"):
        head_fit(TrainingConfig(head="ridge"), data).resume()
    fit = head_fit(TrainingConfig(head="lda"), data)
    fit.forget()
    assert not fit.resume()


def test_closed_form_and_learned_parts_stand_side_by_side(data: FittingData) -> None:
    config = two_spaces("a=mlp", "a=pair-whitening", "b=frozen")
    epochs: list[int] = []

    fitted = fit_head(config, data, lambda epoch: epochs.append(epoch.number))

    assert isinstance(fitted.head, FusedHead)
    assert epochs == [1, 2, 3]
    assert len(fitted.history.epochs) == 3
    weights = {name: value for name, value in fitted.history.chosen.items() if name.endswith("weight")}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["b=frozen/weight"] <= 0.3, "it is noise"
    assert "a=pair-whitening/shrinkage" in fitted.history.chosen


def test_a_fused_fit_interrupted_in_a_part_ends_with_the_same_head(data: FittingData, tmp_path: Path) -> None:
    config = two_spaces("a=lda", "a=mlp", "b=frozen")
    whole = fit_head(config, replace(data, directory=tmp_path / "whole"))

    def dies_after_two(epoch: object) -> None:
        if getattr(epoch, "number", 0) == 2:
            raise KeyboardInterrupt

    cut = replace(data, directory=tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        fit_head(config, cut, dies_after_two)
    again = head_fit(config, cut)
    assert again.resume()
    assert again.epochs_done == 2

    assert same_head(again.run(), whole)


def test_without_validation_defaults_are_taken_and_parts_count_equally(data: FittingData, indices: Indices) -> None:
    nothing = replace(data, validation=indices(COUNT, 50, 50))

    fitted = fit_head(two_spaces("a=pair-whitening", "b=frozen"), nothing)

    assert fitted.history.chosen == {"a=pair-whitening/shrinkage": 0.05, "a=pair-whitening/weight": 0.5, "b=frozen/weight": 0.5}


def test_weights_are_chosen_by_the_pairs_that_are_given_for_it(data: FittingData) -> None:
    """Here by pairs that only the second space can tell apart."""
    random = np.random.default_rng(1)
    seen = random.normal(size=(20, 32))
    vectors = np.concatenate([random.normal(size=(40, 32)), np.concatenate([seen, seen])], axis=1).astype(np.float32)
    judged = FittingPairs(originals=vectors[:20], repaints=vectors[20:], original_of_repaint=np.arange(20), groups=np.arange(20))

    chosen = fit_head(two_spaces("a=frozen", "b=frozen"), replace(data, judged_by=judged)).history.chosen

    assert chosen["b=frozen/weight"] > 0.6


def test_the_heads_kind_decides_how_it_is_fitted(data: FittingData) -> None:
    assert isinstance(head_fit(TrainingConfig(head="residual", **SMALL), data), TrainingLoop)
    fitted = fit_head(TrainingConfig(head="pair-whitening", components=7), data)
    assert isinstance(fitted.head, PairWhiteningHead)
    assert fitted.head(torch.from_numpy(data.vectors[:3])).shape == (3, 7)


def test_no_head_is_fitted_on_nothing(data: FittingData, indices: Indices) -> None:
    for head in ("lda", "mlp"):
        with pytest.raises(NothingToTrainOn):
            head_fit(TrainingConfig(head=head), replace(data, train=indices(COUNT, 5, 5)))


def test_a_history_without_epochs_is_kept_and_drawn(tmp_path: Path) -> None:
    history = History(chosen={"shrinkage": 0.05})

    assert History.model_validate_json(history.model_dump_json()) == history
    plot_splits({"80/20": history}, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def two_spaces(*parts: str) -> TrainingConfig:
    head, named = parse_heads(parts)
    return TrainingConfig(head=head, parts=named, **SMALL).in_spaces({"a": 32, "b": 32})
