from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLImg2ImgPipeline
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from db.images import degenerate_reason, pixel_hash
from workers.backends import BadRequest, ModelSource, ModelUnavailable, RepaintRequest
from workers.backends.sdxl import SdxlImg2Img
from workers.backends.settings import Img2ImgSettings

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

SETTINGS = Img2ImgSettings(steps=8, strength=0.3, guidance=7.5)


@pytest.fixture(scope="module")
def refiner(tiny: Path) -> SdxlImg2Img:
    backend = SdxlImg2Img(model=ModelSource(location=str(tiny / "refiner")), device="cpu")
    backend.load()
    return backend


def requests(images: list[Image.Image], prompt: str = "a garden in the rain") -> list[RepaintRequest]:
    return [RepaintRequest(image=image, prompt=prompt, seed=100 + index) for index, image in enumerate(images)]


def repaint(backend: SdxlImg2Img, batch: list[RepaintRequest], **settings: object) -> list[Image.Image]:
    images = [result.image for result in backend.run(batch, SETTINGS.model_copy(update=settings))]
    assert all(image is not None for image in images)
    return [image for image in images if image is not None]


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


def test_a_repaint_is_sound_and_as_large_as_its_canvas(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    for strength in (0.3, 0.45):
        for before, after in zip(scenes, repaint(refiner, requests(scenes), strength=strength), strict=True):
            assert (after.size, after.mode) == (before.size, "RGB")
            assert degenerate_reason(original=before, repaint=after) is None


def test_a_higher_strength_goes_further_from_the_original(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    mild = repaint(refiner, requests(scenes), strength=0.3)
    strong = repaint(refiner, requests(scenes), strength=0.8)

    for before, near, far in zip(scenes, mild, strong, strict=True):
        assert distance(before, near) < distance(before, far)


def test_equal_requests_give_equal_pixels(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    first, second = (list(map(pixel_hash, repaint(refiner, requests(scenes)))) for _ in range(2))

    assert first == second


def test_batch_mates_change_a_repaint_by_rounding_at_most(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    together = repaint(refiner, requests(scenes))

    for request, image in zip(requests(scenes), together, strict=True):
        alone = repaint(refiner, [request])[0]
        assert distance(alone, image) < 0.1


def test_seed_prompt_and_negative_prompt_matter(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    plain = repaint(refiner, requests(scenes))[0]

    other_seed = RepaintRequest(image=scenes[0], prompt="a garden in the rain", seed=5)
    assert distance(plain, repaint(refiner, [other_seed])[0]) > 1
    assert pixel_hash(plain) != pixel_hash(repaint(refiner, requests(scenes, "fire"))[0])
    assert pixel_hash(plain) != pixel_hash(repaint(refiner, requests(scenes), negative_prompt="fire")[0])
    assert pixel_hash(plain) != pixel_hash(repaint(refiner, requests(scenes), aesthetic_score=1.0)[0])


def test_the_result_is_the_pipelines_own(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    """Driving the autoencoder from outside must change nothing but its speed."""
    batch = requests(scenes)
    reference = refiner._pipeline(
        prompt=[request.prompt for request in batch],
        negative_prompt=[""] * len(batch),
        image=scenes,
        generator=[torch.Generator("cpu").manual_seed(request.seed) for request in batch],
        num_inference_steps=8,
        strength=0.3,
        guidance_scale=7.5,
    ).images

    for ours, theirs in zip(repaint(refiner, batch), reference, strict=True):
        assert distance(ours, theirs) < 0.05


def test_a_canvas_must_have_sides_that_the_model_can_take(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    with pytest.raises(BadRequest, match="multiples of 2"):
        refiner.run(requests([scenes[0], scenes[0].resize((33, 32))]), SETTINGS)


def test_canvases_of_several_sizes_in_one_batch_are_repainted_as_each_size_alone(refiner: SdxlImg2Img, scenes: list[Image.Image]) -> None:
    shapes = [(64, 64), (80, 48), (64, 64), (48, 80)]
    batch = requests([scene.resize(shape) for scene, shape in zip(scenes, shapes, strict=True)])

    together = repaint(refiner, batch)

    assert [image.size for image in together] == shapes
    assert pixel_hash(together[0]) == pixel_hash(repaint(refiner, [batch[0], batch[2]])[0])
    for place in (1, 3):
        assert pixel_hash(together[place]) == pixel_hash(repaint(refiner, [batch[place]])[0])


@pytest.mark.parametrize("shape", [(80, 48), (48, 80)])
def test_the_model_is_told_the_height_and_width_of_its_canvas(
    refiner: SdxlImg2Img, scenes: list[Image.Image], shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[float]] = []
    unet = refiner._pipeline.unet
    forward = unet.forward

    def listen(*args: Any, **kwargs: Any) -> Any:
        told.extend(kwargs["added_cond_kwargs"]["time_ids"].tolist())
        return forward(*args, **kwargs)

    monkeypatch.setattr(unet, "forward", listen)
    repaint(refiner, requests([scenes[0].resize(shape)]))

    width, height = shape
    assert {tuple(ids[:4]) for ids in told} == {(height, width, 0, 0)}
    assert {ids[4] for ids in told} == {6.0, 2.5}


def test_not_a_number_is_no_image_and_spares_the_batch_mates(
    refiner: SdxlImg2Img, scenes: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = refiner._encode

    def spoiled(*args: Any) -> torch.Tensor:
        latents = encode(*args)
        latents[1] = float("nan")
        return latents

    monkeypatch.setattr(refiner, "_encode", spoiled)

    results = [result.image for result in refiner.run(requests(scenes), SETTINGS)]

    assert results[1] is None
    assert all(results[index] is not None for index in (0, 2, 3))


def test_an_overflow_of_half_precision_is_decoded_again_in_full(tiny: Path, scenes: list[Image.Image]) -> None:
    backend = SdxlImg2Img(model=ModelSource(location=str(tiny / "refiner")), device="cpu")
    backend.load()
    latents = 10 * backend._encode(scenes, [torch.Generator().manual_seed(seed) for seed in range(4)]).detach()
    latents[2] = 0  # the one image that does not overflow
    vae = backend._pipeline.vae
    with torch.inference_mode():
        vae.decoder.conv_in.weight.mul_(6e4)  # held by float16, unlike ten times as much
        expected = backend._decode_slice(latents)
        vae.to(torch.float16)
        assert not torch.isfinite(vae.decode(latents.half() / vae.config.scaling_factor).sample).all()

        pixels = backend._decode_slice(latents)

    assert torch.isfinite(pixels).all()
    assert torch.allclose(pixels[0], expected[0], rtol=0.01)
    assert vae.dtype == torch.float16


def test_the_base_form_is_recognised_by_the_models_own_files(tiny: Path, tmp_path: Path, scenes: list[Image.Image]) -> None:
    refiner = StableDiffusionXLImg2ImgPipeline.from_pretrained(tiny / "refiner", local_files_only=True)
    tokenizer: CLIPTokenizer = refiner.tokenizer_2
    config = CLIPTextConfig.from_dict({**refiner.text_encoder_2.config.to_dict(), "hidden_size": 32, "intermediate_size": 64})
    unet = type(refiner.unet).from_config(
        refiner.unet.config, cross_attention_dim=64 + 32, projection_class_embeddings_input_dim=6 * 16 + 64
    )
    base = StableDiffusionXLImg2ImgPipeline(
        vae=refiner.vae,
        text_encoder=CLIPTextModel(config),
        text_encoder_2=refiner.text_encoder_2,
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=refiner.scheduler,
        add_watermarker=False,
    )
    base.save_pretrained(tmp_path / "base")
    backend = SdxlImg2Img(model=ModelSource(location=str(tmp_path / "base")), device="cpu")
    backend.load()

    assert all(image.size == (64, 64) for image in repaint(backend, requests(scenes), strength=0.65))
    assert not backend._pipeline.config.requires_aesthetics_score


def test_a_missing_part_is_unavailable(tiny: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(tiny / "refiner", tmp_path / "refiner")
    shutil.rmtree(tmp_path / "refiner" / "unet")
    backend = SdxlImg2Img(model=ModelSource(location=str(tmp_path / "refiner")), device="cpu")

    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        backend.load()
