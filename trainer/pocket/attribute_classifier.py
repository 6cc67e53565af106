"""A classifier of subject, count, style and palette, trained on separate paintings, to measure repaints with; not in the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from trainer.pocket.attributes import ATTRIBUTES, AttributeHeads
from trainer.pocket.pixels import as_tensor, augment
from trainer.pocket.train_loop import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import TrainingBudget
    from trainer.pocket.train_loop import TrainContext

_WIDTHS = (32, 64, 96, 128)
_BATCH = 100


class AttributeClassifier(nn.Module):
    """Four convolutions by twos, each with one more in a residual branch, and a linear answer for each fact."""

    def __init__(self, paintings: Paintings) -> None:
        super().__init__()
        self.answers = AttributeHeads(paintings, 2 * _WIDTHS[-1])
        before = [3, *_WIDTHS[:-1]]
        self.down = nn.ModuleList([nn.Conv2d(old, new, 5, 2, 2) for old, new in zip(before, _WIDTHS, strict=True)])
        self.norms = nn.ModuleList([nn.GroupNorm(8, width) for width in _WIDTHS])
        self.again = nn.ModuleList([nn.Conv2d(width, width, 3, 1, 1) for width in _WIDTHS])

    def forward(self, pixels: Tensor) -> Tensor:
        """Images (N, 3, SIZE, SIZE) in -1..1 to features (N, width)."""
        for down, norm, again in zip(self.down, self.norms, self.again, strict=True):
            pixels = functional.gelu(norm(down(pixels)))
            pixels = pixels + functional.gelu(again(pixels))
        return torch.cat([pixels.mean(dim=(2, 3)), pixels.amax(dim=(2, 3))], dim=1)


def train_attribute_classifier(context: TrainContext, budget: TrainingBudget, paintings: Paintings) -> AttributeClassifier:
    """Cross entropy of all facts, on crisp, blurred and noisy paintings; it has never seen a decoded one."""
    torch.manual_seed(context.seed)
    model = AttributeClassifier(paintings).to(context.device)

    def loss(rng: np.random.Generator, torch_rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        places = rng.integers(0, len(paintings), budget.batch)
        parts = model.answers.losses(model(augment(as_tensor(paintings.squares[places], context.device), torch_rng)), places)
        return torch.stack(list(parts.values())).sum(), {fact: float(value.detach()) for fact, value in parts.items()}

    # The name seeds the training: under another one it would come out different.
    fit(context, "judge", model, budget, loss, convolutions=True)
    return model


def classify_attributes(model: AttributeClassifier, pixels: Sequence[NDArray[np.uint8]], device: str) -> dict[str, list[str]]:
    """The answers for images of SIZE x SIZE, by attribute."""
    answers: dict[str, list[str]] = {fact: [] for fact in ATTRIBUTES}
    with torch.inference_mode():
        for start in range(0, len(pixels), _BATCH):
            scores = model.answers(model(as_tensor(np.stack(pixels[start : start + _BATCH]), device)))
            for fact, rows in scores.items():
                answers[fact] += [model.answers.known[fact][int(place)] for place in rows.argmax(dim=1)]
    return answers
