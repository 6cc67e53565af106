"""The autoencoder: images to latents and back (Kingma & Welling 2014; Rombach et al. 2022, without a discriminator)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from trainer.pocket.architecture import FACTOR, new_autoencoder
from trainer.pocket.pixels import as_tensor
from trainer.pocket.recipe import SIZE
from trainer.pocket.train_loop import fit

if TYPE_CHECKING:
    from diffusers import AutoencoderKL
    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import TrainingBudget
    from trainer.pocket.train_loop import TrainContext

#: Side of the pieces of an image that it learns from: what it does is local, and four pieces cost as much as one image.
_PIECE = 64
_SQUARED, _POOLED, _KL = 4.0, 1.0, 3e-4
#: Images that go through it together once it is trained.
_BATCH = 50


def train_autoencoder(context: TrainContext, budget: TrainingBudget, paintings: Paintings) -> AutoencoderKL:
    """L1 and L2 on pixels, the same on means of 8 x 8 pixels, which holds the hues, and a light pull of the latents towards N(0, 1)."""
    torch.manual_seed(context.seed)
    model = new_autoencoder().to(context.device, memory_format=torch.channels_last)

    def loss(rng: np.random.Generator, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        real = as_tensor(_pieces(paintings, budget.batch, rng), context.device)
        posterior = model.encode(real).latent_dist
        drawn = posterior.mean + posterior.std * torch.randn(posterior.mean.shape, generator=noise, device=context.device)
        decoded = model.decode(drawn).sample
        pooled = functional.l1_loss(functional.avg_pool2d(decoded, 8), functional.avg_pool2d(real, 8))
        squared = functional.mse_loss(decoded, real)
        kl = 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar).mean()
        value = functional.l1_loss(decoded, real) + _SQUARED * squared + _POOLED * pooled + _KL * kl
        return value, {"PSNR": 10 * float(torch.log10(4 / squared.detach())), "KL": float(kl.detach())}

    fit(context, "autoencoder", model, budget, loss, convolutions=True)
    model.register_to_config(scaling_factor=round(float(1 / _spread(context, model, paintings)), 4))
    return model


def encode_all(context: TrainContext, model: AutoencoderKL, paintings: Paintings) -> NDArray[np.float16]:
    """The scaled mean latents of all canvases, (N, 4, SIZE / 4, SIZE / 4); kept in a file."""
    path = context.folder / "latents.npy"
    shape = (len(paintings), 4, SIZE // FACTOR, SIZE // FACTOR)
    if not path.exists():
        latents = np.lib.format.open_memmap(path.with_suffix(".writing"), "w+", np.float16, shape)
        for start in range(0, len(paintings), _BATCH):
            latents[start : start + _BATCH] = (_encode(context, model, paintings, start) * model.config.scaling_factor).cpu().numpy()
        latents.flush()
        path.with_suffix(".writing").rename(path)
    found: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return found


def reconstruct(model: AutoencoderKL, pixels: NDArray[np.uint8], device: str) -> NDArray[np.uint8]:
    """Images (N, SIZE, SIZE, 3) as they come back from the autoencoder."""
    back = []
    with torch.inference_mode():
        for start in range(0, len(pixels), _BATCH):
            real = as_tensor(pixels[start : start + _BATCH], device)
            decoded = model.decode(model.encode(real).latent_dist.mean).sample
            back.append(((decoded.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())
    return np.concatenate(back)


def _pieces(paintings: Paintings, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pieces at any place, mirrored or not: (count, PIECE, PIECE, 3)."""
    pieces = np.empty((count, _PIECE, _PIECE, 3), np.uint8)
    for place in range(count):
        top, left = rng.integers(0, SIZE - _PIECE + 1, 2)
        piece = paintings.canvases[rng.integers(len(paintings)), top : top + _PIECE, left : left + _PIECE]
        pieces[place] = piece[:, ::-1] if rng.random() < 0.5 else piece  # noqa: PLR2004
    return pieces


def _spread(context: TrainContext, model: AutoencoderKL, paintings: Paintings) -> Tensor:
    """The standard deviation of latents over some images of all kinds."""
    step = max(1, len(paintings) // 500)
    with torch.inference_mode():
        real = as_tensor(np.asarray(paintings.canvases[::step]), context.device)
        return torch.cat([model.encode(some).latent_dist.mean for some in torch.split(real, _BATCH)]).std()


def _encode(context: TrainContext, model: AutoencoderKL, paintings: Paintings, start: int) -> Tensor:
    with torch.inference_mode(), context.precision(convolutions=True):
        real = as_tensor(np.asarray(paintings.canvases[start : start + _BATCH]), context.device)
        mean: Tensor = model.encode(real).latent_dist.mean
        return mean.float()
