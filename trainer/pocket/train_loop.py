"""One training loop for all models: seeded by step, a checkpoint every minute, and the average of the weights as its result."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer.fit.checkpoint import optimizer_slots, optimizer_state
from trainer.model_sources import best_device

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainer.pocket.recipe import TrainingBudget

    #: The loss of one step, and figures to log. All randomness comes from the two generators.
    Loss = Callable[[np.random.Generator, torch.Generator], tuple[Tensor, dict[str, float]]]

_SAVE_SECONDS = 60.0
_LOG_SECONDS = 15.0
_WARM_UP = 0.02
_LAST_RATE = 0.02
_CLIP_NORM = 1.0
#: The average looks back over about a fiftieth of the steps, and over no more than a thousand.
_LOOK_BACK = 50
_LONGEST = 1000


@dataclass(frozen=True, kw_only=True)
class TrainContext:
    """What one training needs: its folder, its seed, its device, its logger."""

    folder: Path
    seed: int
    device: str
    log: Callable[[str], None] = print

    def generators(self, name: str, step: int) -> tuple[np.random.Generator, torch.Generator]:
        """The random generators of one step: a resumed training draws what an uninterrupted one would."""
        roots = [self.seed, step, *name.encode()]
        drawn = np.random.default_rng(roots)
        return drawn, torch.Generator(self.device).manual_seed(int(drawn.integers(2**62)))

    def precision(self, *, convolutions: bool) -> Any:
        """bfloat16 on a GPU, and on processors that compute in it for networks of convolutions; others gain nothing there."""
        if self.device == "cuda" or (convolutions and torch.ops.mkldnn._is_mkldnn_bf16_supported()):  # noqa: SLF001  # no public way to ask
            return torch.autocast(self.device, torch.bfloat16)
        return nullcontext()


def new_train_context(folder: Path, seed: int, log: Callable[[str], None] = print) -> TrainContext:
    """A context on the best device of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    return TrainContext(folder=folder, seed=seed, device=best_device(), log=log)


def fit(context: TrainContext, name: str, model: nn.Module, budget: TrainingBudget, loss: Loss, *, convolutions: bool = False) -> None:
    """Train the model in place, from the last checkpoint if there is one; it ends with the average of its last weights.

    What needs no gradient is neither trained nor saved.
    """
    trained = {key: value for key, value in model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(trained.values(), lr=budget.rate, betas=(0.9, 0.99), weight_decay=0.01)
    average = {key: value.detach().clone() for key, value in trained.items()}
    checkpoint = context.folder / f"{name}.safetensors"
    step = _resume(checkpoint, trained, average, optimizer) if checkpoint.exists() else 0
    decay = 1 - 1 / max(2, min(_LONGEST, budget.steps // _LOOK_BACK))
    saved = logged = time.monotonic()
    first = step
    model.train()
    while step < budget.steps:
        for group in optimizer.param_groups:
            group["lr"] = budget.rate * _rate_factor(step / budget.steps)
        with context.precision(convolutions=convolutions):
            value, facts = loss(*context.generators(name, step))
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained.values(), _CLIP_NORM)
        optimizer.step()
        step += 1
        with torch.no_grad():
            share = max(1 - decay, 1 / step)  # an average of all while they are few
            torch._foreach_lerp_(list(average.values()), list(trained.values()), share)  # as torch.optim.swa_utils does
        at = time.monotonic()
        if at - saved > _SAVE_SECONDS or step == budget.steps:
            _save(checkpoint, trained, average, optimizer, step)
            saved = at
        if at - logged > _LOG_SECONDS or step == budget.steps:
            pace = (step - first) * budget.batch / max(1e-9, at - logged)
            first, logged = step, at
            shown = "  ".join(f"{key} {number:.4f}" for key, number in facts.items())
            context.log(f"{name}: step {step} of {budget.steps}, {pace:.0f} samples/s, loss {float(value.detach()):.4f}  {shown}")
    with torch.no_grad():
        for key, parameter in trained.items():
            parameter.copy_(average[key])
    model.eval()


def _rate_factor(done: float) -> float:
    if done < _WARM_UP:
        return done / _WARM_UP
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))) / 2


def _save(path: Path, trained: dict[str, nn.Parameter], average: dict[str, Tensor], optimizer: torch.optim.Optimizer, step: int) -> None:
    facts = optimizer_state(optimizer)
    tensors = {f"model/{key}": value for key, value in trained.items()} | {f"average/{key}": value for key, value in average.items()}
    for index, slots in facts["state"].items():
        tensors |= {f"optimizer/{index}/{slot}": value for slot, value in slots.items()}
    whole = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    scratch = path.with_suffix(".writing")
    save_file(whole, scratch, {"step": str(step)})
    scratch.replace(path)


def _resume(path: Path, trained: dict[str, nn.Parameter], average: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> int:
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
        step = int((file.metadata() or {})["step"])
    with torch.no_grad():
        for key, parameter in trained.items():
            parameter.copy_(tensors[f"model/{key}"])
            average[key].copy_(tensors[f"average/{key}"])
    slots = optimizer_slots({key.removeprefix("optimizer/"): value for key, value in tensors.items() if key.startswith("optimizer/")})
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    return step
