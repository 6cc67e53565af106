from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from trainer.errors import BadCheckpoint
from trainer.evaluate.evaluation import evaluate_head
from trainer.fit.checkpoint import CHECKPOINT, load_checkpoint
from trainer.fit.config import TrainingConfig
from trainer.fit.loop import TrainingLoop
from trainer.heads.mlp import MlpHead

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from trainer.data.triplet_indices import TripletIndices
    from trainer.fit.fitted import FittedHead
    from trainer.heads.siamese import SiameseHead

    Indices = Callable[..., TripletIndices]
    Vectors = Callable[[int], npt.NDArray[np.float32]]

CONFIG = TrainingConfig(seed=5, epochs=8, batch_size=16, hidden=32, out=16, temperature="learned")
COUNT = 60


def loop(
    config: TrainingConfig, vectors: npt.NDArray[np.float32], indices: Indices, directory: Path, triplet_hash: str = "t"
) -> TrainingLoop:
    directory.mkdir(exist_ok=True)
    count = len(vectors) // 2
    return TrainingLoop(
        config,
        vectors=vectors,
        train=indices(count, 0, count * 2 // 3),
        validation=indices(count, count * 2 // 3, count * 5 // 6),
        directory=directory,
        triplet_hash=triplet_hash,
    )


def same_weights(one: FittedHead, other: FittedHead) -> bool:
    mine, theirs = one.head.state_dict(), other.head.state_dict()
    return one.temperature == other.temperature and all(torch.equal(tensor, theirs[name]) for name, tensor in mine.items())


def test_a_head_learns_what_frozen_vectors_cannot_tell(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    count = 600
    vectors = misleading_vectors(count)
    config = TrainingConfig(epochs=15, batch_size=64, hidden=128, out=64)

    trained = loop(config, vectors, indices, tmp_path).run()
    evaluation = evaluate_head(trained.head, vectors, indices(count, count * 5 // 6, count))

    assert evaluation.find("clip").accuracy < 0.2
    assert evaluation.find("trained").accuracy > 0.95


def test_a_head_trained_on_noise_scores_chance_on_the_test_split(indices: Indices, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(1200, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    trained = loop(CONFIG, vectors, indices, tmp_path).run()
    evaluation = evaluate_head(trained.head, vectors, indices(600, 500, 600))

    assert 0.35 < evaluation.find("trained").accuracy < 0.65


def test_an_untrained_head_on_random_data_scores_chance(indices: Indices) -> None:
    torch.manual_seed(0)
    vectors = np.random.default_rng(0).normal(size=(2000, 64)).astype(np.float32)

    evaluation = evaluate_head(MlpHead(dimension=64), vectors, indices(1000))

    assert evaluation.find("trained").accuracy == pytest.approx(0.5, abs=0.05)
    assert evaluation.find("trained").roc_auc == pytest.approx(0.5, abs=0.05)


def test_equal_seeds_train_equal_weights_and_other_seeds_do_not(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    vectors = misleading_vectors(COUNT)
    other_seed = CONFIG.model_copy(update={"seed": 6})

    first = loop(CONFIG, vectors, indices, tmp_path / "a").run()
    torch.manual_seed(99)
    second = loop(CONFIG, vectors, indices, tmp_path / "b").run()
    third = loop(other_seed, vectors, indices, tmp_path / "c").run()

    assert same_weights(first, second)
    assert not same_weights(first, third)


def test_training_leaves_the_callers_random_numbers_alone(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()

    loop(CONFIG, misleading_vectors(COUNT), indices, tmp_path).run()

    assert torch.equal(torch.get_rng_state(), before)


def test_a_training_interrupted_and_resumed_ends_with_the_same_weights(
    misleading_vectors: Vectors, indices: Indices, tmp_path: Path
) -> None:
    vectors = misleading_vectors(COUNT)
    whole = loop(CONFIG, vectors, indices, tmp_path / "whole").run()

    def dies_after_three(epoch: object) -> None:
        if getattr(epoch, "number", 0) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop(CONFIG, vectors, indices, tmp_path / "cut").run(dies_after_three)
    resumed = loop(CONFIG, vectors, indices, tmp_path / "cut")
    assert resumed.resume()
    assert resumed.epochs_done == 3
    rest = resumed.run()

    assert rest.history == whole.history
    assert same_weights(rest, whole)


def test_a_resumed_training_ends_with_the_same_last_state_not_only_the_same_best(
    misleading_vectors: Vectors, indices: Indices, tmp_path: Path
) -> None:
    vectors = misleading_vectors(COUNT)
    loop(CONFIG, vectors, indices, tmp_path / "whole").run()
    loop(CONFIG.model_copy(update={"epochs": 4}), vectors, indices, tmp_path / "cut").run()
    resumed = loop(CONFIG, vectors, indices, tmp_path / "cut")
    resumed.resume()
    resumed.run()

    whole, cut = load_checkpoint(tmp_path / "whole" / CHECKPOINT), load_checkpoint(tmp_path / "cut" / CHECKPOINT)

    assert all(torch.equal(tensor, cut.head[name]) for name, tensor in whole.head.items())
    for index, slots in whole.optimizer["state"].items():
        assert all(torch.equal(tensor, cut.optimizer["state"][index][name]) for name, tensor in slots.items())


def test_training_stops_when_validation_no_longer_improves_and_keeps_the_best(indices: Indices, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(240, 32)).astype(np.float32)
    config = TrainingConfig(epochs=200, patience=4, batch_size=16, hidden=64, out=16, dropout=0.0)

    history = loop(config, vectors, indices, tmp_path).run().history

    assert history.stopped_early
    assert len(history.epochs) == history.best_epoch + 4
    assert history.best_loss == min(epoch.validation_loss for epoch in history.epochs if epoch.validation_loss is not None)


def test_a_finished_training_resumed_does_nothing_more(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    vectors = misleading_vectors(COUNT)
    first = loop(CONFIG, vectors, indices, tmp_path).run()
    called: list[object] = []

    again = loop(CONFIG, vectors, indices, tmp_path)
    again.resume()

    assert same_weights(again.run(called.append), first)
    assert called == []


def test_the_checkpoint_of_another_training_is_refused(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    vectors = misleading_vectors(COUNT)
    loop(CONFIG, vectors, indices, tmp_path).run()

    with pytest.raises(BadCheckpoint, match="other parameters or triplets"):
        loop(CONFIG, vectors, indices, tmp_path, triplet_hash="others").resume()


def test_a_checkpoint_with_more_epochs_than_asked_for_is_refused(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    vectors = misleading_vectors(COUNT)
    loop(CONFIG, vectors, indices, tmp_path).run()

    with pytest.raises(BadCheckpoint, match="8 epochs, more than the 2 asked for"):
        loop(CONFIG.model_copy(update={"epochs": 2}), vectors, indices, tmp_path).resume()


@pytest.mark.parametrize("loss", ["infonce-both", "triplet-margin"])
def test_other_losses_are_resumed_as_exactly(loss: str, misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    vectors = misleading_vectors(COUNT)
    config = CONFIG.model_copy(update={"loss": loss, "epochs": 4, "head": "residual"})
    whole = loop(config, vectors, indices, tmp_path / "whole").run()
    loop(config.model_copy(update={"epochs": 2}), vectors, indices, tmp_path / "cut").run()

    resumed = loop(config, vectors, indices, tmp_path / "cut")
    resumed.resume()

    assert same_weights(resumed.run(), whole)


def test_infonce_learns_what_frozen_vectors_cannot_tell(indices: Indices, tmp_path: Path) -> None:
    """Beside what tells originals apart lies a subspace that each picture fills anew."""
    count, random = 300, np.random.default_rng(0)
    own = random.normal(size=(count, 16))
    pictures = np.concatenate([own, own + 0.3 * random.normal(size=own.shape)])
    vectors = np.concatenate([pictures, 3 * random.normal(size=(2 * count, 8))], axis=1).astype(np.float32)
    config = TrainingConfig(epochs=30, batch_size=64, out=24, loss="infonce-both", head="linear", learning_rate=1e-2)

    trained = loop(config, vectors, indices, tmp_path).run()

    evaluation = evaluate_head(trained.head, vectors, indices(count, count * 5 // 6, count))
    assert evaluation.find("trained").recall_at_1 > evaluation.find("clip").recall_at_1 + 0.3
    assert trained.history.epochs[-1].train_accuracy > 0.95


def test_a_warm_start_is_made_once_and_not_again_on_resuming(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    vectors = misleading_vectors(COUNT)
    config = CONFIG.model_copy(update={"head": "linear-lda", "epochs": 3, "loss": "infonce"})
    whole = loop(config, vectors, indices, tmp_path / "whole").run()
    loop(config.model_copy(update={"epochs": 1}), vectors, indices, tmp_path / "cut").run()

    resumed = loop(config, vectors, indices, tmp_path / "cut")
    resumed.resume()

    assert same_weights(resumed.run(), whole)


def test_an_epoch_over_few_triplets_is_several_passes(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    """40 triplets in batches of 16 are 3 steps: 4 passes make 12."""
    loop(CONFIG.model_copy(update={"steps": 25}), misleading_vectors(COUNT), indices, tmp_path).run()

    saved = load_checkpoint(tmp_path / CHECKPOINT)

    assert len(saved.history.epochs) == 3
    assert {int(slots["step"]) for slots in saved.optimizer["state"].values()} == {36}


def test_a_head_is_judged_by_batchnorms_statistics_over_the_training_pictures(
    misleading_vectors: Vectors, indices: Indices, tmp_path: Path
) -> None:
    vectors = misleading_vectors(COUNT)
    head = loop(CONFIG, vectors, indices, tmp_path / "now").run().head
    before = loop(CONFIG.model_copy(update={"recipe": 1, "epochs": 1}), vectors, indices, tmp_path / "before").run().head
    pictures = torch.from_numpy(np.concatenate([vectors[:40], vectors[COUNT : COUNT + 40]]))

    def off(head: SiameseHead) -> float:
        """How far the kept variance is from the true one, as a ratio's logarithm."""
        assert isinstance(head, MlpHead)
        first, norm = head.layers[0], head.layers[1]
        assert isinstance(norm, torch.nn.BatchNorm1d)
        assert norm.running_var is not None
        true = first(head.length * torch.nn.functional.normalize(pictures, dim=-1)).var(dim=0).detach()
        return float((norm.running_var / true).log().abs().max())

    assert off(head) < 1e-3
    assert off(before) > 1


@pytest.mark.parametrize("broken", [b"", b"\x00" * 100, b"PK\x03\x04not tensors"])
def test_a_file_that_is_not_a_checkpoint_is_refused_in_one_line(broken: bytes, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(broken)

    with pytest.raises(BadCheckpoint, match="--fresh") as caught:
        load_checkpoint(tmp_path / CHECKPOINT)

    assert "\n" not in str(caught.value)


def test_a_safetensors_file_of_another_program_is_not_a_checkpoint(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / CHECKPOINT)

    with pytest.raises(BadCheckpoint):
        load_checkpoint(tmp_path / CHECKPOINT)


def test_a_checkpoint_is_one_file_of_tensors_with_the_rest_as_json(misleading_vectors: Vectors, indices: Indices, tmp_path: Path) -> None:
    loop(CONFIG, misleading_vectors(COUNT), indices, tmp_path).run()

    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    with safe_open(tmp_path / CHECKPOINT, framework="pt") as file:
        assert len(json.loads(file.metadata()["paragone"])["history"]["epochs"]) == 8
