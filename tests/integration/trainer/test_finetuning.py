"""Fine-tuning a tiny CLIP of the real class on pictures made here."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, CLIPModel

from db.settings import Settings
from tests.integration.trainer.conftest import OpenRuntime, call
from trainer.commands.finetune import finetune
from trainer.commands.train import train
from trainer.data.embeddings import ImageReference
from trainer.errors import BadCheckpoint, LeakingSplit
from trainer.finetune.checkpoint import FINETUNE_CHECKPOINT, load_finetune_checkpoint
from trainer.finetune.config import FinetuneConfig, FinetuneMethod
from trainer.finetune.loop import FinetuneLoop
from trainer.finetune.pairs import PicturePair, PicturePairBatches
from trainer.finetune.tower import ImageTower
from workers.backends.clip import ClipEmbedder
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from db.engine import Database
    from tests.integration.trainer.conftest import Filled

    Prepare = Callable[[list[Image.Image]], Tensor]

ROOT = Path(__file__).parents[3]
TRAINED, TESTED = 160, 60


class PaintedPictures:
    """A work is of one hue, more or less; a repaint has its hue at a brightness of its own, which is what CLIP sees first."""

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(0)
        self.pictures: dict[str, Image.Image] = {}
        self.pairs = []
        for number in range(count):
            hue = random.dirichlet([1, 1, 1])
            grid, repaint = (255 * level * hue / hue.max() + random.normal(0, 4, (4, 4, 3)) for level in random.uniform(0.3, 1, 2))
            names = [f"{number:032x}{kind:032x}" for kind in (0, 1)]
            for name, pixels in zip(names, (grid, repaint), strict=True):
                self.pictures[name] = Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).resize((64, 64), Image.Resampling.NEAREST)
            original, made = (ImageReference(content_hash=name) for name in names)
            self.pairs.append(PicturePair(group=f"g{number:03}", original=original, repaint=made))

    def ahead(self, references: Sequence[ImageReference]) -> Callable[[], list[Image.Image]]:
        return lambda: [self.pictures[reference.content_hash] for reference in references]

    @torch.no_grad()
    def recall_at_1(self, embed: Callable[[Tensor], Tensor], prepare: Prepare) -> float:
        """Over works that were not trained on."""
        tested = self.pairs[TRAINED:]
        sides = ([pair.original for pair in tested], [pair.repaint for pair in tested])
        originals, repaints = (embed(prepare(self.ahead(side)())) for side in sides)
        return float(((repaints @ originals.T).argmax(1) == torch.arange(len(tested))).float().mean())


@pytest.fixture(scope="module")
def painted() -> PaintedPictures:
    return PaintedPictures(TRAINED + TESTED)


@pytest.fixture(scope="module")
def clip_folder(tiny_models: Path) -> Path:
    return tiny_models / "clip"


@pytest.fixture(scope="module")
def prepare(clip_folder: Path) -> Prepare:
    processor = AutoImageProcessor.from_pretrained(clip_folder, backend="pil", local_files_only=True)
    return lambda images: processor(images=images, return_tensors="pt")["pixel_values"]


@pytest.fixture
def new_tower(clip_folder: Path) -> Callable[[FinetuneConfig], ImageTower]:
    def made(config: FinetuneConfig) -> ImageTower:
        torch.manual_seed(0)
        return ImageTower(CLIPModel.from_pretrained(clip_folder, local_files_only=True), config)

    return made


@pytest.fixture
def new_loop(painted: PaintedPictures, prepare: Any, tmp_path: Path) -> Callable[..., FinetuneLoop]:
    def made(config: FinetuneConfig, tower: ImageTower, directory: str = "out") -> FinetuneLoop:
        (tmp_path / directory).mkdir(exist_ok=True)
        batches = PicturePairBatches(painted.pairs[:TRAINED], batch_size=config.batch_size, seed=config.seed)
        return FinetuneLoop(config, tower=tower, batches=batches, reader=painted, prepare=prepare, directory=tmp_path / directory)

    return made


def config(method: FinetuneMethod, **changes: Any) -> FinetuneConfig:
    values: dict[str, Any] = {"steps": 60, "batch_size": 24, "blocks": 2, "rank": 8, "learning_rate": 5e-3, "warmup": 5}
    return FinetuneConfig(method=method, **(values | changes))


@pytest.mark.parametrize("method", list(FinetuneMethod))
def test_a_fine_tuned_clip_finds_more_originals_of_works_it_never_saw(
    method: FinetuneMethod, new_tower: Any, new_loop: Any, painted: PaintedPictures, prepare: Prepare
) -> None:
    tower, frozen = new_tower(config(method)), new_tower(config(method)).eval()
    loop = new_loop(config(method), tower)

    loop.run()

    before, after = painted.recall_at_1(frozen, prepare), painted.recall_at_1(tower.eval(), prepare)
    assert sum(loop.losses[-10:]) < 0.8 * sum(loop.losses[:10])
    assert after >= before + 0.25


@pytest.mark.parametrize("method", list(FinetuneMethod))
def test_what_is_saved_is_a_clip_like_any_other_that_gives_the_towers_vectors(
    method: FinetuneMethod, new_tower: Any, new_loop: Any, clip_folder: Path, tmp_path: Path
) -> None:
    tower = new_tower(config(method, steps=3))
    new_loop(config(method, steps=3), tower).run()
    pixels = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    wanted = tower.eval()(pixels)

    tower.save(tmp_path / "clip", clip_folder)

    saved, frozen = (CLIPModel.from_pretrained(place, local_files_only=True).eval() for place in (tmp_path / "clip", clip_folder))
    found = torch.nn.functional.normalize(saved.get_image_features(pixel_values=pixels).pooler_output, dim=-1)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert not torch.allclose(found, new_tower(config(method)).eval()(pixels), atol=1e-3)
    assert torch.equal(saved.text_projection.weight, frozen.text_projection.weight)
    embedder = ClipEmbedder(model=ModelSource(location=str(tmp_path / "clip"), dtype="float32"), device="cpu")
    embedder.load()
    assert embedder.revision.startswith("sha256:")


@pytest.mark.parametrize("method", list(FinetuneMethod))
def test_only_the_last_blocks_are_trained(method: FinetuneMethod, new_tower: Any) -> None:
    names = list(new_tower(config(method, blocks=1)).trainable())

    assert names
    assert all(".layers.1." in name or "visual_projection" in name or "post_layernorm" in name for name in names)
    assert all(("lora_" in name) is (method is FinetuneMethod.LORA) for name in names)


def test_stopped_and_resumed_equals_uninterrupted(new_tower: Any, new_loop: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("trainer.finetune.loop.CHECKPOINT_EVERY", 3)
    short = config(FinetuneMethod.LORA, steps=8, batch_size=8)
    whole = new_loop(short, whole_tower := new_tower(short), "whole")
    whole.run()

    class Killed(Exception):
        pass

    def stop(step: int, _loss: float) -> None:
        if step == 5:
            raise Killed

    with pytest.raises(Killed):
        new_loop(short, new_tower(short), "stopped").run(stop)
    again = new_loop(short, tower := new_tower(short), "stopped")
    assert again.resume()
    assert len(again.losses) == 3
    again.run()

    assert again.losses == whole.losses
    assert all(torch.equal(tensor, tower.trainable()[name]) for name, tensor in whole_tower.trainable().items())
    other = config(FinetuneMethod.LORA, steps=8, batch_size=8, seed=1)
    with pytest.raises(BadCheckpoint, match="other parameters or pairs"):
        new_loop(other, new_tower(other), "stopped").resume()
    (tmp_path / "stopped" / FINETUNE_CHECKPOINT).write_bytes(b"PK\x03\x04")
    with pytest.raises(BadCheckpoint, match="not a checkpoint"):
        new_loop(short, new_tower(short), "stopped").resume()


@pytest.mark.slow(reason="embeds, fine-tunes, embeds again and trains, with models of the real classes")
def test_finetune_makes_a_clip_that_train_takes_on_its_own_split_alone(
    sqlite_database: Database, fill: Callable[..., Filled], tiny_models: Path, tmp_path: Path
) -> None:
    filled = fill(sqlite_database, count=14, styles=4, models=tiny_models)
    runtime = OpenRuntime(settings=Settings(data_dir=tmp_path / "data"), database=filled.database, store=filled.store)

    made = call(finetune, runtime, "--steps", 2, "--batch", 4, "--blocks", 1, "--rank", 2)
    again = call(finetune, runtime, "--steps", 2, "--batch", 4, "--blocks", 1, "--rank", 2, "--resume")
    trained = call(train, runtime, "--clip", made["clip"], "--epochs", 1)

    assert again == made
    assert set(made["before"]) == set(made["after"]) == {"all", "moderate", "radical"}
    config = json.loads((Path(trained["runs"][0]["directory"]) / "config.json").read_text())
    assert config["clip"]["location"] == "local:clip"
    record = json.loads((Path(made["clip"]).parent / "finetune.json").read_text())
    assert (record["split"], record["steps"], record["base"]["location"]) == ("80/20", 2, "local:clip")
    with pytest.raises(LeakingSplit, match="that this split tests"):
        call(train, runtime, "--clip", made["clip"], "--epochs", 1, "--split", "40/60")


@pytest.mark.slow(reason="three processes that load the real classes")
def test_two_processes_train_what_one_trains(clip_folder: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "ACCELERATE_USE_CPU": "true",
    }
    command = [sys.executable, "-m", "tests.integration.trainer.finetune_process", str(clip_folder)]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()

    pair = [
        subprocess.Popen([*command, str(tmp_path / "two")], env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)}, cwd=ROOT)
        for rank in range(2)
    ]
    subprocess.run([*command, str(tmp_path / "one")], check=True, cwd=ROOT)

    assert [process.wait(170) for process in pair] == [0, 0]
    one, two = (load_finetune_checkpoint(tmp_path / name / FINETUNE_CHECKPOINT) for name in ("one", "two"))
    assert two.losses == pytest.approx(one.losses, rel=1e-5)
    # Softmax does not see a bias of the keys: its gradient is rounding, which Adam makes as large as any.
    for name in [name for name in one.weights if not name.endswith("k_proj.bias")]:
        assert torch.allclose(two.weights[name], one.weights[name], atol=2e-4), name  # three steps move a weight by up to 3e-3


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
