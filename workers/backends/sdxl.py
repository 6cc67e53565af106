"""Repaints by Stable Diffusion XL img2img, refiner or base: which of the two it is, the model's own files decide.

The pipeline encodes one image at a time when each has a generator of its own, so the autoencoder is driven from here, in slices, and the
pipeline is handed latents. The random numbers are drawn in the pipeline's order (posterior, then noise), from the CPU, one generator for
each image: neither batch mates nor the kind of device change an image's noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from diffusers import StableDiffusionXLImg2ImgPipeline
from diffusers.utils import logging as diffusers_logging
from PIL import Image

from workers.backends.devices import choose_dtype, device_errors, release
from workers.backends.errors import BadRequest, ModelUnavailable
from workers.backends.protocol import ModelSource, RepaintRequest, RepaintResult
from workers.backends.settings.img2img import Img2ImgSettings
from workers.backends.sources import DIFFUSERS_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.backends.settings.base import BackendSettings

#: Pixels that go through the autoencoder at once: four images of 1024 px, which fills a GPU and needs about 10 GiB in bfloat16.
VAE_PIXELS = 4 * 1024 * 1024


class SdxlImg2Img:
    """Repaints canvases under prompts. Those of several sizes in one batch go through the model one size after the other.

    Equal requests give equal pixels on one kind of device at one batch size; at another batch size
    they differ by rounding.
    """

    needs_device: ClassVar[bool] = True
    settings_type: ClassVar[type[BackendSettings]] = Img2ImgSettings

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        self.revision = ""
        self._pipeline: Any = None

    def load(self) -> None:
        """Bring the pipeline onto the device. Raises `ModelUnavailable` or `OutOfMemory`."""
        diffusers_logging.disable_progress_bar()
        found = resolve(self.source, DIFFUSERS_FILES)
        dtype = choose_dtype(self.source, self.device)
        with loading(self.source), device_errors():
            pipeline = StableDiffusionXLImg2ImgPipeline.from_pretrained(
                found.directory, dtype=dtype, use_safetensors=True, local_files_only=True, add_watermarker=False
            )
            if pipeline.vae.config.latents_mean is not None:
                raise ModelUnavailable(f"{self.source.location} shifts its latents: only the plain SDXL autoencoder is supported")
            if dtype == torch.float16 and pipeline.vae.config.force_upcast:  # it overflows to NaN, which comes out black
                pipeline.vae.to(torch.float32)
            pipeline.set_progress_bar_config(disable=True)
            self._pipeline = pipeline.to(self.device)
        self.revision = found.revision

    def run(self, batch: Sequence[RepaintRequest], settings: Img2ImgSettings) -> Sequence[RepaintResult]:
        """One repaint for each canvas, None where the model gave NaN. Raises `OutOfMemory`, `TransientFailure` or `BadRequest`."""
        sizes = list(dict.fromkeys(request.image.size for request in batch))
        self._check_sizes(sizes)
        results: dict[int, RepaintResult] = {}
        with device_errors(), torch.inference_mode():
            for size in sizes:
                places = [place for place, request in enumerate(batch) if request.image.size == size]
                images = self._repaint([batch[place] for place in places], settings)
                results.update((place, RepaintResult(image=image)) for place, image in zip(places, images, strict=True))
        return [results[place] for place in range(len(batch))]

    def unload(self) -> None:
        """Free the device."""
        self._pipeline = None
        release()

    def _check_sizes(self, sizes: Sequence[tuple[int, int]]) -> None:
        factor = self._pipeline.vae_scale_factor
        for width, height in sizes:
            if width % factor or height % factor:
                raise BadRequest(f"a canvas of {width} x {height} px: its sides must be multiples of {factor}")

    def _repaint(self, batch: Sequence[RepaintRequest], settings: Img2ImgSettings) -> list[Image.Image | None]:
        """Canvases of one size. The pipeline conditions SDXL on it: (height, width) of the latents as original and target size, no crop."""
        generators = [torch.Generator("cpu").manual_seed(request.seed % 2**64) for request in batch]
        latents = self._pipeline(
            prompt=[request.prompt for request in batch],
            negative_prompt=[settings.negative_prompt] * len(batch),
            image=self._encode([request.image for request in batch], generators),
            generator=generators,
            num_inference_steps=settings.steps,
            strength=settings.strength,
            guidance_scale=settings.guidance,
            aesthetic_score=settings.aesthetic_score,
            negative_aesthetic_score=settings.negative_aesthetic_score,
            output_type="latent",
        ).images
        return self._decode(latents)

    def _slice(self, images: Sequence[Image.Image]) -> int:
        width, height = images[0].size
        return max(1, VAE_PIXELS // (width * height))

    def _encode(self, images: Sequence[Image.Image], generators: list[torch.Generator]) -> torch.Tensor:
        """Canvases to scaled latents of shape (N, 4, height / 8, width / 8), sampled with each image's own generator."""
        vae = self._pipeline.vae
        step = self._slice(images)
        latents = []
        for start in range(0, len(images), step):
            pixels = self._pipeline.image_processor.preprocess([image.convert("RGB") for image in images[start : start + step]])
            posterior = vae.encode(pixels.to(self.device, vae.dtype)).latent_dist
            latents.append(posterior.sample(generator=generators[start : start + step]))
        scaled: torch.Tensor = torch.cat(latents).to(self._pipeline.unet.dtype) * vae.config.scaling_factor
        return scaled

    def _decode(self, latents: torch.Tensor) -> list[Image.Image | None]:
        factor = self._pipeline.vae_scale_factor
        step = max(1, VAE_PIXELS // (latents.shape[-1] * latents.shape[-2] * factor**2))
        images: list[Image.Image | None] = []
        for start in range(0, len(latents), step):
            images.extend(_image(pixels) for pixels in self._decode_slice(latents[start : start + step]))
        return images

    def _decode_slice(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents to pixels in -1..1. A half-precision decode that overflowed is done again in full precision."""
        vae = self._pipeline.vae
        dtype = vae.dtype
        scaled = latents / vae.config.scaling_factor
        pixels: torch.Tensor = vae.decode(scaled.to(dtype)).sample
        overflowed = ~_finite(pixels) & _finite(latents)
        if overflowed.any() and dtype != torch.float32:
            try:
                pixels = pixels.float()
                pixels[overflowed] = vae.to(torch.float32).decode(scaled[overflowed].float()).sample
            finally:
                vae.to(dtype)
        return pixels


def _finite(rows: torch.Tensor) -> torch.Tensor:
    return torch.isfinite(rows).flatten(1).all(dim=1)


def _image(pixels: torch.Tensor) -> Image.Image | None:
    """(3, height, width) in -1..1 to an image; None if a number in it is not finite."""
    if not torch.isfinite(pixels).all():
        return None
    scaled = ((pixels.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(scaled.permute(1, 2, 0).cpu().numpy())
