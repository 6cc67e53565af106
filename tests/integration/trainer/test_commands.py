"""The trainer's commands as a person types them, with tiny random models of the real classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from db.results.pairs import originals, repaints
from db.settings import Settings
from tests.integration.trainer.conftest import OpenRuntime, call
from trainer.commands.compare import compare
from trainer.commands.evaluate import evaluate
from trainer.commands.report import report
from trainer.commands.train import train
from trainer.errors import NothingToTrainOn, NoTrainedModel, TrainerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.engine import Database
    from tests.integration.trainer.conftest import Filled


@pytest.fixture
def filled(sqlite_database: Database, fill: Callable[..., Filled], tiny_models: Path) -> Filled:
    return fill(sqlite_database, count=14, styles=4, models=tiny_models)


@pytest.fixture
def runtime(filled: Filled, tmp_path: Path) -> OpenRuntime:
    return OpenRuntime(settings=Settings(data_dir=tmp_path / "data"), database=filled.database, store=filled.store)


@pytest.mark.slow(reason="four commands with models of the real classes")
def test_train_evaluate_compare_and_report_work_on_a_finished_campaign(runtime: OpenRuntime, filled: Filled, tmp_path: Path) -> None:
    trained = call(train, runtime, "--split", "80/20", "--split", "40/60", "--epochs", 3)
    first, second = trained["runs"]
    assert (first["split"], second["split"]) == ("80/20", "40/60")
    assert first["triplet_set"]["disjoint"] == "artwork", "there are three artists"
    assert first["audit"]["leaks"] == {}
    assert trained["untrained_models"] is True
    assert (runtime.settings.data_dir / "training/studies/splits.png").exists()

    again = call(evaluate, runtime, first["directory"])
    assert again["scores"][1] == first["metrics"]["scores"][1]

    original, repaint = originals(filled.database)[0], repaints(filled.database, filled.campaign.id)[0]
    for name, content_hash in (("one.jpg", original.content_hash), ("other.jpg", repaint.content_hash)):
        (tmp_path / name).write_bytes(filled.store.get(content_hash))
    compared = call(compare, runtime, tmp_path / "one.jpg", tmp_path / "other.jpg")
    assert set(compared) == {"cosine", "clip_cosine", "captions", "probability", "interval", "words"}
    assert -1 <= compared["cosine"] <= 1
    assert all(isinstance(caption, str) and caption for caption in compared["captions"])

    written = call(report, runtime, "--out", tmp_path / "report")
    html = (tmp_path / "report" / "index.html").read_text()
    assert written["page"] == str(tmp_path / "report" / "index.html")
    assert "tiny random models" in html
    assert "An original and its radical repaint" in html


@pytest.mark.slow(reason="four commands with models of the real classes")
def test_clip_and_the_generators_latents_are_trained_on_evaluated_and_compared_side_by_side(
    runtime: OpenRuntime, filled: Filled, tiny_models: Path, tmp_path: Path
) -> None:
    latents = f"latents:{tiny_models}/refiner#16"
    (run,) = call(train, runtime, "--epochs", 2, "--space", "clip", "--space", latents)["runs"]

    config = json.loads((Path(run["directory"]) / "config.json").read_text())
    assert [(space["name"], space["dimension"]) for space in config["spaces"]] == [("clip", 512), ("latents:refiner#16", 1024)]
    again = call(evaluate, runtime, run["directory"])
    assert again["scores"] == run["metrics"]["scores"]
    original = originals(filled.database)[0]
    (tmp_path / "one.jpg").write_bytes(filled.store.get(original.content_hash))
    assert call(compare, runtime, tmp_path / "one.jpg", tmp_path / "one.jpg", "--model", run["directory"])["cosine"] > 0.999
    call(report, runtime, "--out", tmp_path / "report")
    assert "An original and its radical repaint" in (tmp_path / "report" / "index.html").read_text()
    (alone,) = call(train, runtime, "--epochs", 2, "--space", "clip", "--out", tmp_path / "alone")["runs"]
    frozen = [next(score for score in scores if score["scorer"] == "clip") for scores in (again["scores"], alone["metrics"]["scores"])]
    for figure in ("accuracy", "margin", "roc_auc", "recall_at_1"):
        assert frozen[0][figure] == pytest.approx(frozen[1][figure], abs=1e-6), "frozen CLIP is CLIP's part alone"


def test_train_without_json_prints_a_table(runtime: OpenRuntime, tmp_path: Path) -> None:
    result = CliRunner().invoke(train, ["--epochs", "1", "--out", str(tmp_path / "out")], obj=runtime)

    assert result.exit_code == 0, result.output
    assert "frozen CLIP" in result.stdout
    assert "never trained" in result.stdout
    assert "epoch 1" in result.stderr
    assert "80/20: 3 artists are too few to be kept apart" in result.stderr
    assert "audit: warning: 3 x shared artist on several sides" in result.stdout
    assert "80/20: too few for a verdict: 3 different artworks to test on" in result.stderr
    assert (tmp_path / "out" / "80-20" / "model.safetensors").exists()


def test_compare_without_a_trained_model_names_the_command_to_run(runtime: OpenRuntime, filled: Filled, tmp_path: Path) -> None:
    original = originals(filled.database)[0]
    (tmp_path / "one.jpg").write_bytes(filled.store.get(original.content_hash))

    with pytest.raises(NoTrainedModel, match="paragone train"):
        call(compare, runtime, tmp_path / "one.jpg", tmp_path / "one.jpg")


def test_training_on_a_campaign_too_small_to_split_is_refused(
    sqlite_database: Database, fill: Callable[..., Filled], tiny_models: Path, tmp_path: Path
) -> None:
    filled = fill(sqlite_database, count=4, models=tiny_models)
    runtime = OpenRuntime(settings=Settings(data_dir=tmp_path / "data"), database=filled.database, store=filled.store)

    with pytest.raises(NothingToTrainOn, match="at least 6") as caught:
        call(train, runtime)
    assert isinstance(caught.value, TrainerError)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--split", "80/30"),
        ("--split", "80/10/5"),
        ("--disjoint", "style"),
        ("--temperature", "warm"),
        ("--temperature", "-1"),
        ("--epochs", "0"),
        ("--head", "none"),
        ("--loss", "none"),
        ("--negative-strategy", "none"),
        ("--space", "depth"),
        ("--space", "vision:a#b#c"),
        ("--negative-strategy", "any:0"),
    ],
)
def test_a_wrong_option_of_train_exits_with_2(wrong: tuple[str, str]) -> None:
    assert CliRunner().invoke(train, list(wrong), obj=None).exit_code == 2
