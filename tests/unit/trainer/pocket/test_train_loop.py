from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from trainer.pocket.architecture import new_scheduler
from trainer.pocket.recipe import TrainingBudget
from trainer.pocket.refiner import noise_levels, noisy_between, velocity
from trainer.pocket.train_loop import TrainContext, fit

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import Tensor

PART = TrainingBudget(samples=60, batch=1, rate=0.05)


class Interrupted(Exception):
    pass


def train(folder: Path, *, stop: int | None = None) -> nn.Linear:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    lines: list[str] = []
    steps = 0

    def loss(rng: np.random.Generator, torch_rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        nonlocal steps
        steps += 1
        if steps == stop:
            raise Interrupted
        given = torch.randn((8, 3), generator=torch_rng)
        return ((model(given) - float(rng.normal()) * given[:, :2]) ** 2).mean(), {}

    fit(TrainContext(folder=folder, seed=5, device="cpu", log=lines.append), "line", model, PART, loss)
    return model


def test_an_interrupted_pocket_training_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.pocket.train_loop._SAVE_SECONDS", 0.0)
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = train(tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(tmp_path / "broken", stop=24)
    resumed = train(tmp_path / "broken")

    assert torch.equal(whole.weight, resumed.weight)
    assert torch.equal(whole.weight, train(tmp_path / "whole").weight), "a finished training is not trained again"


@pytest.mark.parametrize("step", [5, 400, 999])
def test_the_scheduler_recovers_the_target_from_the_velocity(step: int) -> None:
    scheduler = new_scheduler()
    scheduler.set_timesteps(1000)
    torch_rng = torch.Generator().manual_seed(0)
    target, source, noise = (torch.randn((1, 4, 8, 8), generator=torch_rng) for _ in range(3))

    place = int((scheduler.timesteps - step).abs().argmin())
    timestep = scheduler.timesteps[place]
    sigma = scheduler.sigmas[place]
    noisy = noisy_between(target, source, noise, sigma=sigma, start=noise_levels()[-1])
    seen = scheduler.step(velocity(noisy, target, sigma), timestep, noisy).pred_original_sample

    assert torch.allclose(seen, target, atol=2e-3)


def test_euler_steps_from_the_original_end_at_the_repaint() -> None:
    scheduler = new_scheduler()
    scheduler.set_timesteps(25)
    torch_rng = torch.Generator().manual_seed(0)
    target, source, noise = (torch.randn((1, 4, 8, 8), generator=torch_rng) for _ in range(3))
    start = scheduler.sigmas[5]
    noisy = source + start * noise

    for place, timestep in enumerate(scheduler.timesteps[5:], 5):
        sigma = scheduler.sigmas[place]
        assert torch.allclose(noisy, noisy_between(target, source, noise, sigma=sigma, start=start), atol=1e-3)
        noisy = scheduler.step(velocity(noisy, target, sigma), timestep, noisy).prev_sample

    assert torch.allclose(noisy, target, atol=1e-3)
