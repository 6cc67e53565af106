from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image

from workers.backends import BadRequest, ModelSource, ModelUnavailable
from workers.backends.latents import LatentEmbedder

if TYPE_CHECKING:
    from pathlib import Path


def autoencoder(levels: int = 2, **config: object) -> AutoencoderKL:
    torch.manual_seed(0)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=(4,) * levels,
        norm_num_groups=2,
        mid_block_add_attention=False,
        **config,
    )


def loaded(folder: Path, side: int = 32) -> LatentEmbedder:
    embedder = LatentEmbedder(model=ModelSource(location=str(folder)), device="cpu", side=side)
    embedder.load()
    return embedder


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An autoencoder of SDXL's factor of 8, as a repository of its own, in half precision on disk."""
    folder = tmp_path_factory.mktemp("vae")
    autoencoder(4, latent_channels=4, scaling_factor=0.13025).half().save_pretrained(folder)
    return folder


def test_sdxls_form_is_4096_numbers_of_a_picture_stretched_to_256_pixels(repository: Path, scenes: list[Image.Image]) -> None:
    embedder = loaded(repository)
    model = AutoencoderKL.from_pretrained(repository).float().eval()
    stretched = np.stack([np.asarray(scene.resize((256, 256), Image.Resampling.BICUBIC), np.float32) for scene in scenes])
    with torch.inference_mode():
        expected = model.encode(torch.from_numpy(stretched).permute(0, 3, 1, 2) / 127.5 - 1).latent_dist.mean * 0.13025

    vectors = embedder.embed_images(scenes)

    assert (vectors.shape, vectors.dtype, embedder.picture_side) == ((4, 4096), np.dtype("float32"), 256)
    np.testing.assert_allclose(vectors, expected.flatten(1).numpy(), atol=1e-5)


def test_fewer_latents_are_means_of_squares(repository: Path, scenes: list[Image.Image]) -> None:
    fine = loaded(repository).embed_images(scenes).reshape(4, 4, 16, 2, 16, 2)

    coarse = loaded(repository, side=16)

    assert coarse.dimension == 1024
    np.testing.assert_allclose(coarse.embed_images(scenes), fine.mean(axis=(3, 5)).reshape(4, 1024), atol=1e-5)


@pytest.mark.parametrize("side", [0, 3, 64, -16])
def test_sides_that_do_not_divide_32_are_refused(tmp_path: Path, side: int) -> None:
    with pytest.raises(BadRequest, match="divides 32"):
        LatentEmbedder(model=ModelSource(location=str(tmp_path)), device="cpu", side=side)


def test_the_picture_follows_the_models_own_factor_and_channels(tmp_path: Path, scenes: list[Image.Image]) -> None:
    autoencoder(2, latent_channels=8).save_pretrained(tmp_path)

    embedder = loaded(tmp_path)

    assert (embedder.picture_side, embedder.dimension) == (64, 8192)
    assert embedder.embed_images(scenes).shape == (4, 8192)
    assert embedder.embed_images([]).shape == (0, 8192)


def test_the_aspect_is_given_up_and_mode_and_batch_do_not_matter(tmp_path: Path, scenes: list[Image.Image]) -> None:
    autoencoder(2).save_pretrained(tmp_path)
    embedder = loaded(tmp_path)
    together = embedder.embed_images([*scenes, scenes[0].resize((64, 128)).convert("RGBA")])

    np.testing.assert_allclose(together[2], embedder.embed_images(scenes[2:3])[0], atol=1e-5)
    near, far = (np.linalg.norm(together[0] - together[row]) for row in (4, 1))
    assert near < far / 4


def test_a_pipelines_own_autoencoder_is_taken_and_only_its_files_count(tiny: Path, scenes: list[Image.Image], tmp_path: Path) -> None:
    embedder = loaded(tiny / "refiner")
    alone = loaded(tiny / "refiner/vae")

    np.testing.assert_array_equal(embedder.embed_images(scenes), alone.embed_images(scenes))
    shutil.copytree(tiny / "refiner/vae", tmp_path / "vae")
    assert loaded(tmp_path).revision == embedder.revision
    (tmp_path / "model_index.json").write_text('{"another": "pipeline"}')
    assert loaded(tmp_path).revision == embedder.revision


def test_latents_are_shifted_and_scaled_as_the_generator_takes_them(tmp_path: Path, scenes: list[Image.Image]) -> None:
    forms: dict[str, dict[str, object]] = {
        "plain": {"scaling_factor": 1.0},
        "shifted": {"scaling_factor": 2.0, "shift_factor": 0.25},
        "centred": {"scaling_factor": 0.5, "latents_mean": [0.1, 0.2, 0.3, 0.4], "latents_std": [1.0, 2.0, 4.0, 8.0]},
    }
    for name, form in forms.items():
        autoencoder(2, latent_channels=4, **form).save_pretrained(tmp_path / name)
    plain, shifted, centred = (loaded(tmp_path / name).embed_images(scenes).reshape(4, 4, -1) for name in forms)

    np.testing.assert_allclose(shifted, (plain - 0.25) * 2, atol=1e-5)
    mean, deviation = (np.array(forms["centred"][name]).reshape(1, 4, 1) for name in ("latents_mean", "latents_std"))
    np.testing.assert_allclose(centred, (plain - mean) * 0.5 / deviation, atol=1e-5)


def test_a_folder_without_an_autoencoder_is_told(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        loaded(tmp_path)
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        loaded(tiny / "clip")
