from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from trainer.checkpoints import CHECKPOINT, load_checkpoint
from trainer.configuration import TrainingConfig
from trainer.errors import BadCheckpoint
from trainer.evaluation import evaluate
from trainer.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from trainer.rows import TripletRows
    from trainer.training import Trained

    Rows = Callable[..., TripletRows]
    Kinship = Callable[[int], npt.NDArray[np.float32]]

CONFIG = TrainingConfig(seed=5, epochs=8, batch_size=16, hidden=32, out=16, temperature="learned")
COUNT = 60


def training(config: TrainingConfig, vectors: npt.NDArray[np.float32], rows: Rows, directory: Path, triplet_hash: str = "t") -> Training:
    directory.mkdir(exist_ok=True)
    count = len(vectors) // 2
    return Training(
        config,
        vectors=vectors,
        train=rows(count, 0, count * 2 // 3),
        validation=rows(count, count * 2 // 3, count * 5 // 6),
        directory=directory,
        triplet_hash=triplet_hash,
    )


def same_weights(one: Trained, other: Trained) -> bool:
    mine, theirs = one.head.state_dict(), other.head.state_dict()
    return one.temperature == other.temperature and all(torch.equal(tensor, theirs[name]) for name, tensor in mine.items())


def test_what_can_be_learned_is_learned_where_frozen_vectors_fail(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    count = 600
    vectors = hidden_kinship(count)
    config = TrainingConfig(epochs=15, batch_size=64, hidden=128, out=64)

    trained = training(config, vectors, rows, tmp_path).run()
    judged = evaluate(trained.head, vectors, rows(count, count * 5 // 6, count))

    assert judged.find("clip").accuracy < 0.2
    assert judged.find("trained").accuracy > 0.95


def test_noise_teaches_nothing_that_holds_on_the_test_side(rows: Rows, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(1200, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    trained = training(CONFIG, vectors, rows, tmp_path).run()
    judged = evaluate(trained.head, vectors, rows(600, 500, 600))

    assert 0.35 < judged.find("trained").accuracy < 0.65


def test_an_untrained_head_on_random_data_tells_as_much_as_a_coin(rows: Rows) -> None:
    from trainer.head import SiameseHead

    torch.manual_seed(0)
    vectors = np.random.default_rng(0).normal(size=(2000, 64)).astype(np.float32)

    judged = evaluate(SiameseHead(dimension=64), vectors, rows(1000))

    assert judged.find("trained").accuracy == pytest.approx(0.5, abs=0.05)
    assert judged.find("trained").roc_auc == pytest.approx(0.5, abs=0.05)


def test_equal_seeds_give_equal_weights_and_others_do_not(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    vectors = hidden_kinship(COUNT)
    other_seed = CONFIG.model_copy(update={"seed": 6})

    first = training(CONFIG, vectors, rows, tmp_path / "a").run()
    torch.manual_seed(99)
    second = training(CONFIG, vectors, rows, tmp_path / "b").run()
    third = training(other_seed, vectors, rows, tmp_path / "c").run()

    assert same_weights(first, second)
    assert not same_weights(first, third)


def test_training_leaves_the_callers_random_numbers_alone(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()

    training(CONFIG, hidden_kinship(COUNT), rows, tmp_path).run()

    assert torch.equal(torch.get_rng_state(), before)


def test_a_training_cut_off_anywhere_and_resumed_ends_with_the_same_weights(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    vectors = hidden_kinship(COUNT)
    whole = training(CONFIG, vectors, rows, tmp_path / "whole").run()

    def dies_after_three(epoch: object) -> None:
        if getattr(epoch, "number", 0) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training(CONFIG, vectors, rows, tmp_path / "cut").run(dies_after_three)
    resumed = training(CONFIG, vectors, rows, tmp_path / "cut")
    assert resumed.resume()
    assert resumed.epochs_done == 3
    rest = resumed.run()

    assert rest.history == whole.history
    assert same_weights(rest, whole)


def test_the_last_state_is_equal_too_not_only_the_best(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    vectors = hidden_kinship(COUNT)
    training(CONFIG, vectors, rows, tmp_path / "whole").run()
    training(CONFIG.model_copy(update={"epochs": 4}), vectors, rows, tmp_path / "cut").run()
    resumed = training(CONFIG, vectors, rows, tmp_path / "cut")
    resumed.resume()
    resumed.run()

    whole, cut = load_checkpoint(tmp_path / "whole" / CHECKPOINT), load_checkpoint(tmp_path / "cut" / CHECKPOINT)

    assert all(torch.equal(tensor, cut.head[name]) for name, tensor in whole.head.items())
    for index, slots in whole.optimizer["state"].items():
        assert all(torch.equal(tensor, cut.optimizer["state"][index][name]) for name, tensor in slots.items())


def test_training_stops_when_validation_no_longer_improves_and_keeps_the_best(rows: Rows, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(240, 32)).astype(np.float32)
    config = TrainingConfig(epochs=200, patience=4, batch_size=16, hidden=64, out=16, dropout=0.0)

    history = training(config, vectors, rows, tmp_path).run().history

    assert history.stopped_early
    assert len(history.epochs) == history.best_epoch + 4
    assert history.best_loss == min(epoch.validation_loss for epoch in history.epochs if epoch.validation_loss is not None)


def test_a_finished_training_resumed_does_nothing_more(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    vectors = hidden_kinship(COUNT)
    first = training(CONFIG, vectors, rows, tmp_path).run()
    told: list[object] = []

    again = training(CONFIG, vectors, rows, tmp_path)
    again.resume()

    assert same_weights(again.run(told.append), first)
    assert told == []


def test_the_checkpoint_of_another_training_is_refused(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    vectors = hidden_kinship(COUNT)
    training(CONFIG, vectors, rows, tmp_path).run()

    with pytest.raises(BadCheckpoint, match="other parameters or triplets"):
        training(CONFIG, vectors, rows, tmp_path, triplet_hash="others").resume()


def test_a_checkpoint_further_on_than_asked_for_is_refused(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    vectors = hidden_kinship(COUNT)
    training(CONFIG, vectors, rows, tmp_path).run()

    with pytest.raises(BadCheckpoint, match="8 epochs on, more than the 2 asked for"):
        training(CONFIG.model_copy(update={"epochs": 2}), vectors, rows, tmp_path).resume()


@pytest.mark.parametrize("broken", [b"", b"\x00" * 100, b"PK\x03\x04not tensors"])
def test_a_file_that_is_no_checkpoint_is_refused_in_one_line(broken: bytes, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(broken)

    with pytest.raises(BadCheckpoint, match="--fresh") as caught:
        load_checkpoint(tmp_path / CHECKPOINT)

    assert "\n" not in str(caught.value)


def test_tensors_of_somebody_else_are_no_checkpoint(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / CHECKPOINT)

    with pytest.raises(BadCheckpoint):
        load_checkpoint(tmp_path / CHECKPOINT)


def test_a_checkpoint_is_one_file_of_tensors_with_the_rest_as_json(hidden_kinship: Kinship, rows: Rows, tmp_path: Path) -> None:
    training(CONFIG, hidden_kinship(COUNT), rows, tmp_path).run()

    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    with safe_open(tmp_path / CHECKPOINT, framework="pt") as file:
        assert len(json.loads(file.metadata()["paragone"])["history"]["epochs"]) == 8
