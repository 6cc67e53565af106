from __future__ import annotations

import pytest

from trainer.fit.config import TrainingConfig, complete_record, run_record
from trainer.heads.parts import HeadPart

PARTS = (HeadPart(space="clip", head="lda", dimension=8),)

#: Fingerprints that the version without `loss` and `head` wrote into its checkpoints.
WRITTEN_BEFORE = [
    (TrainingConfig(recipe=1), "ad65608c24b24da92736d4531ff2b1bcf083e5c5c83fc2a9963a182a75032a9e"),
    (TrainingConfig(seed=5, temperature="learned", recipe=1), "0819c00dc2b270ae72699d9fe075db6495d987da8a19dc4a84733c42cc7558ca"),
]


@pytest.mark.parametrize(("config", "fingerprint"), WRITTEN_BEFORE)
def test_checkpoints_written_before_loss_and_head_existed_are_still_resumed(config: TrainingConfig, fingerprint: str) -> None:
    assert config.fingerprint("t") == fingerprint


@pytest.mark.parametrize(
    "change", [{"loss": "margin"}, {"head": "linear"}, {"seed": 1}, {"dropout": 0.1}, {"recipe": 1}, {"components": 9}, {"parts": PARTS}]
)
def test_a_training_with_other_parameters_has_another_fingerprint(change: dict[str, object]) -> None:
    assert TrainingConfig().model_copy(update=change).fingerprint("t") != TrainingConfig().fingerprint("t")


def test_the_number_of_epochs_or_steps_does_not_change_the_fingerprint() -> None:
    assert TrainingConfig(epochs=3).fingerprint("t") == TrainingConfig(steps=70).fingerprint("t") == TrainingConfig().fingerprint("t")


@pytest.mark.parametrize(("steps_of_a_pass", "passes"), [(1, 10), (3, 4), (9, 2), (10, 1), (223, 1)])
def test_an_epoch_has_at_least_ten_steps_however_few_the_triplets_are(steps_of_a_pass: int, passes: int) -> None:
    assert TrainingConfig().passes(steps_of_a_pass) == passes
    assert TrainingConfig(recipe=1).passes(steps_of_a_pass) == 1


def test_a_number_of_steps_becomes_whole_epochs_and_decides_instead_of_their_number() -> None:
    assert TrainingConfig(epochs=7).total_epochs(12) == 7
    assert TrainingConfig(epochs=7, steps=500).total_epochs(12) == 42
    assert TrainingConfig(steps=1).total_epochs(12) == 1


def test_a_run_recorded_before_loss_and_head_existed_equals_one_with_the_defaults() -> None:
    record = run_record("80/20", TrainingConfig())
    earlier = {name: value for name, value in record.items() if name not in {"loss", "head"}}

    assert complete_record(earlier) == record
    assert complete_record({})["recipe"] == 1
    assert complete_record(earlier) != run_record("80/20", TrainingConfig(head="linear"))
