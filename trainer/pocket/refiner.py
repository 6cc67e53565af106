"""The refiner: latent diffusion under a text (Rombach et al. 2022; SDXL: Podell et al. 2023), made to repaint.

Half of what it learns is plain diffusion: a noisy latent, the text of its picture, the picture. The other half is repainting. Img2img
starts at some noise S from another picture, the original, and on its way to the noise s has still s / S of the difference to the repaint
in it:

    x(s) = repaint + (s / S) (original - repaint) + s noise

The painter has painted each scene in several versions, so both are at hand, and the network learns to go from the one's remains to the
other. Only starts at high noise are taught so: at low noise a repaint shall stay with its original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch.nn import functional

from trainer.pocket.architecture import AESTHETIC, NO_AESTHETIC, SHARED, new_scheduler, new_unet
from trainer.pocket.fitting import fit
from trainer.pocket.recipe import SIZE
from trainer.pocket.texts import tell_prompt

if TYPE_CHECKING:
    import numpy as np
    from diffusers import UNet2DConditionModel
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import CLIPTextModelWithProjection, CLIPTokenizer

    from trainer.pocket.fitting import Bench
    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import Part

_UNTOLD = 0.12
_REPAINTING = 0.5
#: The lowest of the thousand noises from which repainting is taught.
_LOWEST_START = 450


def train_refiner(
    bench: Bench,
    part: Part,
    paintings: Paintings,
    *,
    latents: NDArray[np.float16],
    encoder: CLIPTextModelWithProjection,
    tokenizer: CLIPTokenizer,
) -> UNet2DConditionModel:
    """Mean squared error of the velocity, over all noises."""
    torch.manual_seed(bench.seed)
    model = new_unet().to(bench.device, memory_format=torch.channels_last)
    if bench.device == "cpu":
        model.set_attn_processor(AttnProcessor())  # a third faster here than the backward pass of PyTorch's own attention
    encoder = encoder.to(bench.device)
    sigmas = noise_levels().to(bench.device)
    others = _versions(paintings)

    def loss(rng: np.random.Generator, dice: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        places = rng.integers(0, len(paintings), part.batch)
        repainting = rng.random(part.batch) < _REPAINTING
        sources = [
            others[place][int(rng.integers(len(others[place])))] if also else place for place, also in zip(places, repainting, strict=True)
        ]
        starts = torch.from_numpy(rng.integers(_LOWEST_START, len(sigmas), part.batch)).to(bench.device)
        plain = torch.from_numpy(~repainting).to(bench.device)
        starts[plain] = len(sigmas) - 1
        steps = (torch.rand(part.batch, generator=dice, device=bench.device) * (starts + 1)).long()
        told = rng.random(part.batch) >= _UNTOLD
        texts = [tell_prompt(paintings.truths[place], rng) if also else "" for place, also in zip(places, told, strict=True)]

        target, source = _load(latents, places, bench.device), _load(latents, sources, bench.device)
        sigma, start = sigmas[steps].view(-1, 1, 1, 1), sigmas[starts].view(-1, 1, 1, 1)
        noise = torch.randn(target.shape, generator=dice, device=bench.device)
        noisy = on_the_way(target, source, noise, sigma=sigma, start=start)
        conditions = condition(encoder, tokenizer, texts, torch.from_numpy(told))
        given = (noisy / (sigma**2 + 1).sqrt()).contiguous(memory_format=torch.channels_last)
        said = model(given, steps, **conditions).sample
        return functional.mse_loss(said.float(), velocity(noisy, target, sigma)), {}

    fit(bench, "refiner", model, part, loss, convolutions=True)
    return model


def on_the_way(target: Tensor, source: Tensor, noise: Tensor, *, sigma: Tensor, start: Tensor) -> Tensor:
    """Where Euler steps stand at the noise sigma, if they began at the noise start over the source and go to the target."""
    return target + sigma / start * (source - target) + sigma * noise


def velocity(noisy: Tensor, target: Tensor, sigma: Tensor) -> Tensor:
    """What the network has to say at the noise sigma for the scheduler to see the target."""
    size = (sigma**2 + 1).sqrt()
    return (noisy / size**2 - target) * size / sigma


def noise_levels() -> Tensor:
    """The thousand noises of the schedule, in units of a latent's deviation, as Euler steps count them."""
    kept = new_scheduler().alphas_cumprod
    levels: Tensor = ((1 - kept) / kept).sqrt()
    return levels


def condition(encoder: CLIPTextModelWithProjection, tokenizer: CLIPTokenizer, texts: list[str], told: Tensor) -> dict[str, Any]:
    """What the network is told beside the noise: states of the last layer but one, the pooled text, and SDXL's five numbers."""
    device = encoder.device
    tokens = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(device)
    with torch.no_grad():
        read = encoder(tokens, output_hidden_states=True)
    scores = torch.where(told, AESTHETIC, NO_AESTHETIC).to(device)
    numbers = torch.tensor([SIZE, SIZE, 0.0, 0.0], device=device).expand(len(texts), 4)
    added = {"text_embeds": read.text_embeds.view(-1, SHARED), "time_ids": torch.cat([numbers, scores[:, None]], dim=1)}
    return {"encoder_hidden_states": read.hidden_states[-2], "added_cond_kwargs": added}


def _versions(paintings: Paintings) -> list[list[int]]:
    """For each painting the places of the other versions of its scene; its own if there is none."""
    scenes: dict[int, list[int]] = {}
    for place, truth in enumerate(paintings.truths):
        scenes.setdefault(truth.scene, []).append(place)
    return [[other for other in scenes[truth.scene] if other != place] or [place] for place, truth in enumerate(paintings.truths)]


def _load(latents: NDArray[np.float16], places: Any, device: str) -> Tensor:
    return torch.from_numpy(latents[places]).to(device).float()
