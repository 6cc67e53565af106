"""The refiner: latent diffusion under a text (Rombach et al. 2022; SDXL: Podell et al. 2023), made to repaint.

Half of what it learns is plain diffusion: a noisy latent, the text of its image, the image. The other half is repainting. Img2img
starts at some noise S from another image, the original, and on its way to the noise s has still s / S of the difference to the repaint
in it:

    x(s) = repaint + (s / S) (original - repaint) + s noise

Each scene was rendered in several versions, so both are available, and the network learns to go from the remains of the one to the other.
Only starts at high noise are trained so: at low noise a repaint stays with its original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch.nn import functional

from trainer.pocket.architecture import AESTHETIC, NO_AESTHETIC, SHARED, new_scheduler, new_unet
from trainer.pocket.recipe import SIZE
from trainer.pocket.texts import describe_as_prompt
from trainer.pocket.train_loop import fit

if TYPE_CHECKING:
    import numpy as np
    from diffusers import UNet2DConditionModel
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import CLIPTextModelWithProjection, CLIPTokenizer

    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import TrainingBudget
    from trainer.pocket.train_loop import TrainContext

_WITHOUT_TEXT = 0.12
_REPAINTING = 0.5
#: The lowest of the thousand noises from which repainting is taught.
_LOWEST_START = 450


def train_refiner(
    context: TrainContext,
    budget: TrainingBudget,
    paintings: Paintings,
    *,
    latents: NDArray[np.float16],
    encoder: CLIPTextModelWithProjection,
    tokenizer: CLIPTokenizer,
) -> UNet2DConditionModel:
    """Mean squared error of the velocity, over all noises."""
    torch.manual_seed(context.seed)
    model = new_unet().to(context.device, memory_format=torch.channels_last)
    if context.device == "cpu":
        model.set_attn_processor(AttnProcessor())  # a third faster here than the backward pass of PyTorch's own attention
    encoder = encoder.to(context.device)
    sigmas = noise_levels().to(context.device)
    others = _versions(paintings)

    def loss(rng: np.random.Generator, torch_rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        places = rng.integers(0, len(paintings), budget.batch)
        repainting = rng.random(budget.batch) < _REPAINTING
        sources = [
            others[place][int(rng.integers(len(others[place])))] if also else place for place, also in zip(places, repainting, strict=True)
        ]
        starts = torch.from_numpy(rng.integers(_LOWEST_START, len(sigmas), budget.batch)).to(context.device)
        starts[torch.from_numpy(~repainting).to(context.device)] = len(sigmas) - 1  # plain diffusion starts from pure noise
        steps = (torch.rand(budget.batch, generator=torch_rng, device=context.device) * (starts + 1)).long()
        with_text = rng.random(budget.batch) >= _WITHOUT_TEXT
        texts = [describe_as_prompt(paintings.labels[place], rng) if also else "" for place, also in zip(places, with_text, strict=True)]
        target, source = _load(latents, places, context.device), _load(latents, sources, context.device)
        sigma, start = sigmas[steps].view(-1, 1, 1, 1), sigmas[starts].view(-1, 1, 1, 1)
        noise = torch.randn(target.shape, generator=torch_rng, device=context.device)
        noisy = noisy_between(target, source, noise, sigma=sigma, start=start)
        conditions = condition(encoder, tokenizer, texts, torch.from_numpy(with_text))
        given = (noisy / (sigma**2 + 1).sqrt()).contiguous(memory_format=torch.channels_last)
        predicted = model(given, steps, **conditions).sample
        return functional.mse_loss(predicted.float(), velocity(noisy, target, sigma)), {}

    fit(context, "refiner", model, budget, loss, convolutions=True)
    return model


def noisy_between(target: Tensor, source: Tensor, noise: Tensor, *, sigma: Tensor, start: Tensor) -> Tensor:
    """The state of Euler steps at the noise sigma that started over the source at the noise start and go to the target."""
    return target + sigma / start * (source - target) + sigma * noise


def velocity(noisy: Tensor, target: Tensor, sigma: Tensor) -> Tensor:
    """What the network has to predict at the noise sigma for the scheduler to see the target."""
    size = (sigma**2 + 1).sqrt()
    return (noisy / size**2 - target) * size / sigma


def noise_levels() -> Tensor:
    """The thousand noises of the schedule, in units of a latent's deviation, as Euler steps count them."""
    kept = new_scheduler().alphas_cumprod
    levels: Tensor = ((1 - kept) / kept).sqrt()
    return levels


def condition(encoder: CLIPTextModelWithProjection, tokenizer: CLIPTokenizer, texts: list[str], with_text: Tensor) -> dict[str, Any]:
    """The conditions of the network beside the noise: states of the last layer but one, the pooled text, and SDXL's five numbers."""
    device = encoder.device
    tokens = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(device)
    with torch.no_grad():
        read = encoder(tokens, output_hidden_states=True)
    scores = torch.where(with_text, AESTHETIC, NO_AESTHETIC).to(device)
    numbers = torch.tensor([SIZE, SIZE, 0.0, 0.0], device=device).expand(len(texts), 4)
    added = {"text_embeds": read.text_embeds.view(-1, SHARED), "time_ids": torch.cat([numbers, scores[:, None]], dim=1)}
    return {"encoder_hidden_states": read.hidden_states[-2], "added_cond_kwargs": added}


def _versions(paintings: Paintings) -> list[list[int]]:
    """For each painting the places of the other versions of its scene; its own if there is none."""
    scenes: dict[int, list[int]] = {}
    for place, label in enumerate(paintings.labels):
        scenes.setdefault(label.scene, []).append(place)
    return [[other for other in scenes[label.scene] if other != place] or [place] for place, label in enumerate(paintings.labels)]


def _load(latents: NDArray[np.float16], places: Any, device: str) -> Tensor:
    return torch.from_numpy(latents[places]).to(device).float()
