from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import torch

from workers.backends.sources import DIFFUSERS_FILES, TRANSFORMERS_FILES, directory_revision
from workers.backends.tiny import RECOMMENDED, SIZE, build_tiny_models
from workers.backends.tiny_autoencoder import see_through_autoencoder
from workers.backends.tiny_words import clip_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image


def revisions(root: Path) -> list[str]:
    files = {"captioner": TRANSFORMERS_FILES, "refiner": DIFFUSERS_FILES, "clip": TRANSFORMERS_FILES}
    return [directory_revision(root / name, patterns) for name, patterns in files.items()]


def test_one_seed_gives_one_set_of_files_and_another_another(tiny: Path, tmp_path: Path) -> None:
    state = torch.random.get_rng_state()

    assert revisions(build_tiny_models(tmp_path / "same", seed=0)) == revisions(tiny)
    assert revisions(build_tiny_models(tmp_path / "other", seed=1)) != revisions(tiny)
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_models_are_small_safe_and_say_that_they_are_untrained(tiny: Path) -> None:
    files = [path for path in tiny.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 8_000_000
    assert not [path for path in files if path.suffix in {".bin", ".pt", ".ckpt", ".pkl", ".py"}]
    facts = json.loads((tiny / "models.json").read_text())
    assert facts["trained"] is False
    for level in facts["levels"].values():
        assert int(level["steps"] * level["strength"]) >= 2
        assert (tiny / level["model"] / "model_index.json").exists()
    assert facts["image"]["size"] == SIZE == RECOMMENDED["image"]["size"]


def test_the_autoencoder_sees_through(scenes: list[Image]) -> None:
    model = see_through_autoencoder(SIZE)
    pixels = torch.tensor(np.stack([np.asarray(image) for image in scenes])).permute(0, 3, 1, 2) / 127.5 - 1
    halved = torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d(pixels, 2), scale_factor=2)

    with torch.inference_mode():
        decoded = model.decode(model.encode(pixels).latent_dist.mode()).sample

    assert (decoded - halved).abs().max() < 0.02


def test_the_cut_tokenizer_takes_any_text_and_knows_the_words_of_our_briefs() -> None:
    tokenizer = clip_tokenizer()
    odd = "naïve 漢字 🎨 xyzzy!"

    assert tokenizer.decode(tokenizer(odd, add_special_tokens=False)["input_ids"]).replace(" ", "") == odd.replace(" ", "")
    assert len(tokenizer("a painting of a river in winter", add_special_tokens=False)["input_ids"]) == 7
    assert len(tokenizer(["one", "two three"], padding="max_length", max_length=77)["input_ids"][0]) == 77
