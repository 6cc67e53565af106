"""CLIP: images and texts in one space (Radford et al. 2021), on images that are blurred, noisy and decoded as well as crisp."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from trainer.pocket.architecture import WIDTH, new_clip
from trainer.pocket.attributes import AttributeHeads
from trainer.pocket.pixels import as_tensor, augment
from trainer.pocket.texts import describe, draw_attributes, with_phrases
from trainer.pocket.train_loop import fit

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import CLIPModel, CLIPTokenizer

    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import TrainingBudget
    from trainer.pocket.train_loop import TrainContext

#: How many of a batch's images come out of the autoencoder.
_DECODED = 0.3
#: Weight of the plain classification.
_NAMING = 0.5
_HIGHEST_SCALE = math.log(100)


def train_clip(
    context: TrainContext, budget: TrainingBudget, paintings: Paintings, decoded: ReconstructedImages, tokenizer: CLIPTokenizer
) -> CLIPModel:
    """Contrastive training: each image is matched with its text among the batch's, and each text with its image.

    A batch's texts all name the same attributes, such as the style alone; images with equal texts share the target. Beside that the vision
    side learns subject, count, style and palette by plain classification, whose layers are dropped in the end: from texts alone it takes
    many more images to learn anything but colours.
    """
    torch.manual_seed(context.seed)
    model = new_clip(tokenizer).to(context.device)
    answers = AttributeHeads(paintings, WIDTH).to(context.device)

    def loss(rng: np.random.Generator, torch_rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        facts = draw_attributes(rng)
        chosen, pixels = decoded.draw(paintings, budget.batch, rng, _DECODED)
        labels = [paintings.labels[place] for place in chosen]
        texts = [with_phrases(describe(label, facts, rng), rng) for label in labels]
        tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(context.device)
        images = augment(as_tensor(pixels, context.device), torch_rng)
        pooled = model.vision_model(pixel_values=images).pooler_output
        seen = functional.normalize(model.visual_projection(pooled).float(), dim=-1)
        read = functional.normalize(model.get_text_features(**tokens).pooler_output.float(), dim=-1)
        scores = model.logit_scale.clamp(max=_HIGHEST_SCALE).exp() * seen @ read.T
        same = _same([tuple(getattr(label, fact) for fact in facts) for label in labels]).to(context.device)
        targets = same / same.sum(dim=1, keepdim=True)
        value = (functional.cross_entropy(scores, targets) + functional.cross_entropy(scores.T, targets)) / 2
        named = answers.losses(pooled, chosen)
        found = same[torch.arange(budget.batch), scores.argmax(dim=1)].mean()
        figures = {fact: float(fact_loss.detach()) for fact, fact_loss in named.items()}
        return value + _NAMING * torch.stack(list(named.values())).sum(), {f"found by {'+'.join(facts)}": float(found), **figures}

    fit(context, "clip", nn.ModuleList([model, answers]), budget, loss)
    return model


class ReconstructedImages:
    """Some of the training images as the autoencoder gives them back."""

    def __init__(self, places: NDArray[np.int64], pixels: NDArray[np.uint8]) -> None:
        self._places = places
        self._pixels = pixels

    def draw(self, paintings: Paintings, count: int, rng: np.random.Generator, share: float) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Drawn images, some crisp and some decoded: their places among the paintings, and (count, SIZE, SIZE, 3)."""
        places = rng.integers(0, len(paintings), count)
        rows = rng.integers(0, len(self._places), count)
        taken = rng.random(count) < share
        places[taken] = self._places[rows[taken]]
        pairs = zip(places, rows, taken, strict=True)
        return places, np.stack([self._pixels[row] if decoded else paintings.squares[place] for place, row, decoded in pairs])


def _same(keys: list[tuple[object, ...]]) -> Tensor:
    """1 where two keys are equal: (N, N)."""
    numbers: dict[tuple[object, ...], int] = {}
    classes = torch.tensor([numbers.setdefault(key, len(numbers)) for key in keys])
    return (classes[:, None] == classes[None, :]).float()
