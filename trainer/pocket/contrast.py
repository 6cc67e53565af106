"""CLIP: pictures and texts in one space (Radford et al. 2021), on pictures that are blurred, noisy and decoded as well as crisp."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from trainer.pocket.architecture import WIDTH, new_clip
from trainer.pocket.facts import Answers
from trainer.pocket.fitting import fit
from trainer.pocket.pixels import as_tensor, worn
from trainer.pocket.texts import draw_telling, tell, with_phrases

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import CLIPModel, CLIPTokenizer

    from trainer.pocket.fitting import Bench
    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import Part

#: How many of a batch's pictures come out of the autoencoder.
_DECODED = 0.3
#: How much plain classification counts.
_NAMING = 0.5
_HIGHEST_SCALE = math.log(100)


def train_clip(bench: Bench, part: Part, paintings: Paintings, decoded: Decoded, tokenizer: CLIPTokenizer) -> CLIPModel:
    """Each picture shall find its text among the batch's and each text its picture.

    A batch's texts all tell the same kinds of facts, such as the style alone; pictures of which the same is said share the target. Beside
    that the vision side learns to name subject, count, style and palette by plain classification, whose answers are thrown away in the
    end: from texts alone it takes many more pictures to see what is not a colour.
    """
    torch.manual_seed(bench.seed)
    model = new_clip(tokenizer).to(bench.device)
    answers = Answers(paintings, WIDTH).to(bench.device)

    def loss(rng: np.random.Generator, dice: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        facts = draw_telling(rng)
        chosen, pixels = decoded.draw(paintings, part.batch, rng, _DECODED)
        truths = [paintings.truths[place] for place in chosen]
        texts = [with_phrases(tell(truth, facts, rng), rng) for truth in truths]
        tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(bench.device)
        pictures = worn(as_tensor(pixels, bench.device), dice)
        pooled = model.vision_model(pixel_values=pictures).pooler_output
        seen = functional.normalize(model.visual_projection(pooled).float(), dim=-1)
        read = functional.normalize(model.get_text_features(**tokens).pooler_output.float(), dim=-1)
        scores = model.logit_scale.clamp(max=_HIGHEST_SCALE).exp() * seen @ read.T
        same = _same([tuple(getattr(truth, fact) for fact in facts) for truth in truths]).to(bench.device)
        targets = same / same.sum(dim=1, keepdim=True)
        value = (functional.cross_entropy(scores, targets) + functional.cross_entropy(scores.T, targets)) / 2
        named = answers.losses(pooled, chosen)
        found = same[torch.arange(part.batch), scores.argmax(dim=1)].mean()
        told = {fact: float(part_of.detach()) for fact, part_of in named.items()}
        return value + _NAMING * torch.stack(list(named.values())).sum(), {f"found by {'+'.join(facts)}": float(found), **told}

    fit(bench, "clip", nn.ModuleList([model, answers]), part, loss)
    return model


class Decoded:
    """Some of the training pictures as the autoencoder gives them back."""

    def __init__(self, places: NDArray[np.int64], pixels: NDArray[np.uint8]) -> None:
        self._places = places
        self._pixels = pixels

    def draw(self, paintings: Paintings, count: int, rng: np.random.Generator, share: float) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Drawn pictures, some crisp and some decoded: their places among the paintings, and (count, SIZE, SIZE, 3)."""
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
