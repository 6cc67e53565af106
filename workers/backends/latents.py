"""A generator's own latents as vectors: what its autoencoder keeps of a picture's composition, which a repaint starts from.

The idea that the latents of the generator's autoencoder, after one linear map, tell which original a picture was made from is that of
OriPID (Wang et al., ICML 2025, arXiv 2501.02376).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers.utils import logging as diffusers_logging
from PIL.Image import Resampling
from torch.nn import functional

from workers.backends.devices import device_errors, release
from workers.backends.errors import BadRequest, ModelUnavailable
from workers.backends.sources import loading, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from workers.backends.protocol import ModelSource

#: Files of an autoencoder: the folder `vae` of a pipeline, or a repository of its own.
AUTOENCODER_FILES = (
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model-*-of-*.safetensors",
    "vae/diffusion_pytorch_model.safetensors.index.json",
    "config.json",
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model-*-of-*.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
)

#: Latents on a side that are encoded. SDXL's autoencoder makes one of 8 x 8 pixels: a picture of 256 x 256.
LATENT_SIDE = 32

#: Pixels that go through the encoder at once: 16 pictures of 256 px.
_PIXELS = 16 * 256 * 256


class LatentEmbedder:
    """Embeds images by an autoencoder's latents; not a stage's backend.

    A picture is stretched (its aspect given up, PIL's bicubic, which averages where it shrinks) to 32 latents a side, for SDXL's encoder
    256 x 256 pixels, and encoded in float32, as that autoencoder overflows in half precision. A vector holds the posterior's mean in the
    generator's own scale, (mean - shift) x `scaling_factor`, channel by channel and row by row, averaged over squares where `side` is below
    32: float32 of shape (N, `dimension`), `dimension` = channels x `side` x `side`, for SDXL 4 x 32 x 32 = 4,096. It is neither centred nor
    normalised; over many pictures its numbers have a standard deviation of about 1, which is what `scaling_factor` is for.
    """

    def __init__(self, *, model: ModelSource, device: str, side: int = LATENT_SIDE) -> None:
        if side < 1 or LATENT_SIDE % side:
            raise BadRequest(f"latents of {side} x {side}: choose a side that divides {LATENT_SIDE}, such as 32 or 16")
        self.source = model
        self.device = device
        self.side = side
        #: The commit that was loaded, or "sha256:..." of a local directory's autoencoder; "" before `load`.
        self.revision = ""
        #: Length of a vector; 0 before `load`.
        self.dimension = 0
        #: Width and height in pixels that pictures are stretched to; 0 before `load`.
        self.picture_side = 0
        self._model: Any = None

    def load(self) -> None:
        """Bring the autoencoder onto the device, in float32 always. Raises `ModelUnavailable` or `OutOfMemory`."""
        diffusers_logging.disable_progress_bar()
        found = resolve(self.source, AUTOENCODER_FILES)
        subfolder = {"subfolder": "vae"} if (found.directory / "vae").is_dir() else {}
        with loading(self.source), device_errors():
            model = AutoencoderKL.from_pretrained(
                found.directory, dtype=torch.float32, use_safetensors=True, local_files_only=True, **subfolder
            )
            self._model = model.to(self.device).eval()
        self.picture_side = LATENT_SIDE * 2 ** (len(model.config.block_out_channels) - 1)
        self.dimension = int(model.config.latent_channels) * self.side**2
        self.revision = found.revision

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """RGB images of any size to (N, dimension). Raises `OutOfMemory` or `TransientFailure`."""
        step = max(1, _PIXELS // self.picture_side**2)
        parts = [self._embed(images[start : start + step]) for start in range(0, len(images), step)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def unload(self) -> None:
        """Free the device."""
        self._model = None
        release()

    def _embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        size = (self.picture_side, self.picture_side)
        stretched = np.stack([np.asarray(image.convert("RGB").resize(size, Resampling.BICUBIC)) for image in images])
        with device_errors(), torch.inference_mode():
            pixels = torch.from_numpy(stretched).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
            latents = _scaled(self._model.encode(pixels).latent_dist.mean, self._model.config)
            if latents.shape[-2:] != (LATENT_SIDE, LATENT_SIDE):
                raise ModelUnavailable(f"{self.source.location} makes latents of {tuple(latents.shape[1:])} of {size[0]} px: not supported")
            pooled = functional.avg_pool2d(latents, LATENT_SIDE // self.side)
            vectors: NDArray[np.float32] = pooled.flatten(1).cpu().numpy()
        return vectors


def _scaled(mean: torch.Tensor, config: Any) -> torch.Tensor:
    """Latents (N, channels, height, width) as the generator takes them: by one shift and factor, or by a mean and deviation a channel."""
    if config.latents_mean is not None and config.latents_std is not None:
        centre, deviation = (mean.new_tensor(values).view(1, -1, 1, 1) for values in (config.latents_mean, config.latents_std))
        latents: torch.Tensor = (mean - centre) * config.scaling_factor / deviation
    else:
        latents = (mean - (config.shift_factor or 0.0)) * config.scaling_factor
    return latents
