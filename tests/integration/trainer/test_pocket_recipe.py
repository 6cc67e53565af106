"""The recipe of the pocket models from paintings to a measured pack, a few steps of everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from db.images import ContentBox
from producer.campaign_options import configuration
from trainer.pocket.paintings import content, load_paintings
from workers.backends import CaptionRequest, ModelSource
from workers.backends.blip2 import Blip2Captioner
from workers.backends.settings import Blip2Settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow(reason="trains all three models for a few steps"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pocket")


@pytest.fixture(scope="module")
def trained(work: Path) -> Path:
    recipe(work, "train", "--out", str(work / "pack"))
    return work / "pack"


def recipe(work: Path, command: str, *arguments: str) -> str:
    asked = [sys.executable, "-m", "trainer.pocket", command, *arguments, "--smoke", "--work", str(work / "work")]
    done = subprocess.run(asked, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_trained_pack_serves_a_campaign_and_loads_through_the_production_backends(trained: Path, work: Path) -> None:
    config = configuration({}, models=str(trained))
    assert config.level["radical"].brief == "restyle"
    assert config.picture.size == 128
    assert config.prompt.target_tokens < 55

    captioner = Blip2Captioner(model=ModelSource(location=str(trained / "captioner")), device="cpu")
    captioner.load()
    paintings = load_paintings(work / "work" / "held-out", count=8, seed=3)
    (result,) = captioner.run([CaptionRequest(image=content(paintings, paintings.canvases)[0])], Blip2Settings(**config.caption.settings))
    assert isinstance(result.text, str)


def test_a_packs_measures_are_printed_and_written_into_its_cards(trained: Path, work: Path) -> None:
    table = recipe(work, "measure", str(trained), "--write")

    assert "captioner: subject and count exactly right" in table
    assert "radical: the style is the one prompted" in table
    facts = json.loads((trained / "measures.json").read_text())
    assert f"| {facts['measures'][0]['name']} |" in table
    for model in ("captioner", "refiner", "clip"):
        assert table.strip() in (trained / model / "README.md").read_text()


def test_the_content_of_a_canvas_is_what_lies_between_the_bars(trained: Path, work: Path) -> None:
    assert trained.is_dir()
    paintings = load_paintings(work / "work" / "held-out", count=8, seed=3)
    for image, box in zip(content(paintings, paintings.canvases), paintings.boxes, strict=True):
        found = ContentBox.from_json(list(box))
        assert image.size == (found.width, found.height)
        assert max(image.size) == 128
