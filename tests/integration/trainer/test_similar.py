"""`paragone similar` and `Project.similar` on a finished campaign, with tiny random models of the real classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from PIL import Image

import paragone
from db.results.pairs import originals, repaints
from db.settings import Settings
from tests.integration.trainer.conftest import OpenRuntime, call
from trainer.calibration.calibration import ModelCalibration, PairCalibration, SearchCalibration, read_calibration, write_calibration
from trainer.calibration.curve import CalibrationCurve, CalibrationMethod
from trainer.commands.compare import compare
from trainer.commands.similar import similar
from trainer.commands.train import train
from trainer.errors import NothingToSearch, NoTrainedModel
from workers.backends.clip import ClipEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from db.engine import Database
    from tests.integration.trainer.conftest import Filled


@pytest.fixture
def filled(sqlite_database: Database, fill: Callable[..., Filled], tiny_models: Path) -> Filled:
    return fill(sqlite_database, count=14, styles=4, models=tiny_models)


@pytest.fixture
def runtime(filled: Filled, tmp_path: Path) -> OpenRuntime:
    return OpenRuntime(settings=Settings(data_dir=tmp_path / "data"), database=filled.database, store=filled.store)


@pytest.fixture
def model(runtime: OpenRuntime) -> Path:
    """The folder of a model that was trained for one epoch."""
    return Path(call(train, runtime, "--epochs", 1)["runs"][0]["directory"])


@pytest.fixture
def calibrated(model: Path) -> Path:
    """The same with a calibration that is written by hand: two validation works are not enough for one."""
    counts = {"positives": 90, "negatives": 90, "artists": 30}
    pairs = CalibrationCurve(
        method=CalibrationMethod.PLATT, scores=(0.0, 1.0), probabilities=(0.02, 0.98), low=(0.0, 0.9), high=(0.1, 1.0), **counts
    )
    search = SearchCalibration(similarity_weight=1.0, margin_weight=0.0, curve=pairs, gallery=14)
    write_calibration(model, ModelCalibration(seed=0, pairs=PairCalibration(curve=pairs), search=search))
    return model


@pytest.fixture
def folder(filled: Filled, tmp_path: Path) -> Path:
    """A repaint, an original, a broken file and a note."""
    asked = tmp_path / "asked"
    asked.mkdir()
    (asked / "broken.png").write_bytes(b"no image")
    (asked / "note.txt").write_text("passed over")
    original, repaint = originals(filled.database)[3], repaints(filled.database, filled.campaign.id)[5]
    (asked / "original.jpg").write_bytes(filled.store.get(original.content_hash))
    (asked / "repaint.jpg").write_bytes(filled.store.get(repaint.content_hash))
    return asked


def ask(runtime: OpenRuntime, *arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(similar, [str(one) for one in arguments], obj=runtime)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow(reason="trains and searches with models of the real classes")
def test_a_folder_is_searched_file_by_file_and_a_broken_one_is_told(
    runtime: OpenRuntime, filled: Filled, calibrated: Path, folder: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"

    code, printed, told = ask(runtime, folder, "--over", "both", "--k", 4, "--views", "mirror", "--sheet", sheet, "--json")
    found: dict[str, Any] = json.loads(printed)

    assert code == 1
    assert list(found["failed"]) == [str(folder / "broken.png")]
    assert "broken.png is not an image" in told
    assert (found["campaign"], found["model"], found["gallery"], found["recall"]) == ("studies", str(calibrated), 14 + 28, 1.0)
    original, repaint = found["searches"]
    assert [one["rank"] for one in original["pictures"]] == [1, 2, 3, 4]
    nearest = original["pictures"][0]
    expected = originals(filled.database)[3]
    assert (nearest["key"], nearest["kind"], nearest["same_file"]) == (expected.key, "original", True)
    assert (nearest["title"], nearest["artist"]) == (expected.title, expected.artist)
    assert nearest["similarity"] == pytest.approx(1, abs=1e-4)
    assert original["words"] == f"the very file of {expected.key} (original)"
    assert (repaint["pictures"][0]["kind"], repaint["pictures"][0]["same_file"]) == ("repaint", True)
    assert repaint["probability"] is not None
    with Image.open(sheet) as drawn:
        assert drawn.height > 500


@pytest.mark.slow(reason="trains and searches with models of the real classes")
def test_a_second_search_makes_no_vector_of_the_gallery(
    runtime: OpenRuntime, filled: Filled, calibrated: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(runtime, folder / "original.jpg", "--over", "both")
    seen: list[int] = []
    embed_images = ClipEmbedder.embed_images

    def counted(self: ClipEmbedder, images: list[Image.Image]) -> npt.NDArray[np.float32]:
        seen.append(len(images))
        return embed_images(self, images)

    monkeypatch.setattr(ClipEmbedder, "embed_images", counted)

    code, printed, _ = ask(runtime, folder / "original.jpg", folder / "repaint.jpg", "--over", "both", "--views", "mirror")

    assert code == 0
    assert seen == [4]  # two images in two views each
    key = originals(filled.database)[3].key
    assert f"{folder / 'original.jpg'}: the very file of {key}" in printed
    assert "none of these is with" in printed


@pytest.mark.slow(reason="trains and searches with models of the real classes")
def test_a_project_searches_as_the_command_does(runtime: OpenRuntime, filled: Filled, calibrated: Path, folder: Path) -> None:
    project = paragone.open(runtime.settings.data_dir)
    project._runtime = runtime  # type: ignore[assignment]

    (found,) = project.similar([folder / "original.jpg"], model=calibrated, k=2)

    assert isinstance(found, paragone.OriginSearch)
    assert found.nearest == found.pictures[0].key == originals(filled.database)[3].key
    assert len(found.pictures) == 2
    with pytest.raises(paragone.ParagoneError, match="over is 'all': it can be originals, repaints, both"):
        project.similar([folder / "original.jpg"], over="all")
    with pytest.raises(paragone.ParagoneError, match="k is 0"):
        project.similar([folder / "original.jpg"], k=0)
    with pytest.raises(paragone.ParagoneError, match=r"broken\.png is not an image"):
        project.similar([folder / "broken.png"])


def test_a_model_without_calibration_searches_and_says_why_there_is_no_probability(runtime: OpenRuntime, model: Path, folder: Path) -> None:
    assert read_calibration(model) is None  # two validation works are too few

    code, printed, _ = ask(runtime, folder / "original.jpg", "--k", 2, "--model", model)
    compared = CliRunner().invoke(compare, [str(folder / "original.jpg"), str(folder / "repaint.jpg")], obj=runtime)

    assert code == 0
    assert "no probability: the model has no calibration" in printed
    assert "the same file" in printed
    assert "no probability: the model has no calibration" in compared.stdout
    assert call(compare, runtime, folder / "original.jpg", folder / "repaint.jpg")["probability"] is None


def test_compare_prints_the_probability_and_what_it_says(runtime: OpenRuntime, calibrated: Path, folder: Path) -> None:
    one = folder / "original.jpg"

    printed = CliRunner().invoke(compare, [str(one), str(one), "--model", str(calibrated)], obj=runtime).stdout
    compared = call(compare, runtime, one, one, "--model", calibrated)

    assert "probability  0.980   (95 %: 0.900 to 1.000, if one pair in two is)" in printed
    assert "very probably an original and its repaint" in printed
    assert set(compared) == {"cosine", "clip_cosine", "captions", "probability", "interval", "words"}
    assert compared["interval"] == pytest.approx([0.9, 1.0], abs=1e-4)


def test_what_can_not_be_searched_is_said_in_one_line(runtime: OpenRuntime, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(NoTrainedModel, match="paragone train"):
        ask(runtime, folder)
    with pytest.raises(NothingToSearch, match="holds no image file"):
        ask(runtime, tmp_path / "empty")
    assert ask(runtime, folder, "--sheet", tmp_path / "nowhere" / "sheet.png")[0] == 2
    assert ask(runtime, tmp_path / "gone.png")[0] == 2
    assert ask(runtime, folder, "--over", "all")[0] == 2
