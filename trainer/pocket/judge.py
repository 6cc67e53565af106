"""The judge: a classifier of subject, count, style and palette, trained on paintings of other seeds. It is not part of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from trainer.pocket.fitting import fit
from trainer.pocket.pixels import as_tensor, worn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.pocket.fitting import Bench
    from trainer.pocket.paintings import Paintings, Truth
    from trainer.pocket.recipe import Part

FACTS = ("subject", "count", "style", "palette")
_WIDTHS = (32, 64, 96, 128)
_BATCH = 100


class Judge(nn.Module):
    """Four convolutions by twos, each with one more in a residual branch, and a linear answer for each fact."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        super().__init__()
        #: The answers to each fact, as strings, in the order of the scores.
        self.answers = answers
        before = [3, *_WIDTHS[:-1]]
        self.down = nn.ModuleList([nn.Conv2d(old, new, 5, 2, 2) for old, new in zip(before, _WIDTHS, strict=True)])
        self.norms = nn.ModuleList([nn.GroupNorm(8, width) for width in _WIDTHS])
        self.again = nn.ModuleList([nn.Conv2d(width, width, 3, 1, 1) for width in _WIDTHS])
        self.heads = nn.ModuleDict({fact: nn.Linear(2 * _WIDTHS[-1], len(known)) for fact, known in answers.items()})

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Pictures (N, 3, SIZE, SIZE) in -1..1 to scores (N, answers) by fact."""
        for down, norm, again in zip(self.down, self.norms, self.again, strict=True):
            pixels = functional.gelu(norm(down(pixels)))
            pixels = pixels + functional.gelu(again(pixels))
        seen = torch.cat([pixels.mean(dim=(2, 3)), pixels.amax(dim=(2, 3))], dim=1)
        return {fact: head(seen) for fact, head in self.heads.items()}


def train_judge(bench: Bench, part: Part, paintings: Paintings) -> Judge:
    """Cross entropy of all facts, on crisp, blurred and noisy paintings; it has never seen a decoded one."""
    torch.manual_seed(bench.seed)
    answers = {fact: sorted({_answer(truth, fact) for truth in paintings.truths}) for fact in FACTS}
    targets = {
        fact: torch.tensor([known.index(_answer(truth, fact)) for truth in paintings.truths], device=bench.device)
        for fact, known in answers.items()
    }
    model = Judge(answers).to(bench.device)

    def loss(rng: np.random.Generator, dice: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        places = rng.integers(0, len(paintings), part.batch)
        scores = model(worn(as_tensor(paintings.squares[places], bench.device), dice))
        parts = {fact: functional.cross_entropy(scores[fact], targets[fact][places]) for fact in FACTS}
        return torch.stack(list(parts.values())).sum(), {fact: float(value.detach()) for fact, value in parts.items()}

    fit(bench, "judge", model, part, loss, convolutions=True)
    return model


def judged(model: Judge, pixels: Sequence[NDArray[np.uint8]], device: str) -> dict[str, list[str]]:
    """What the judge answers for pictures of SIZE x SIZE, fact by fact."""
    answers: dict[str, list[str]] = {fact: [] for fact in FACTS}
    with torch.inference_mode():
        for start in range(0, len(pixels), _BATCH):
            scores = model(as_tensor(np.stack(pixels[start : start + _BATCH]), device))
            for fact, rows in scores.items():
                answers[fact] += [model.answers[fact][int(place)] for place in rows.argmax(dim=1)]
    return answers


def _answer(truth: Truth, fact: str) -> str:
    return str(getattr(truth, fact))
