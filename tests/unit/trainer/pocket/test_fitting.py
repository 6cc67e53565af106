from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from trainer.pocket.architecture import new_scheduler
from trainer.pocket.fitting import Bench, fit
from trainer.pocket.recipe import Part
from trainer.pocket.refiner import noise_levels, on_the_way, velocity

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import Tensor

PART = Part(samples=60, batch=1, rate=0.05)


class Interrupted(Exception):
    pass


def train(folder: Path, *, stop: int | None = None) -> nn.Linear:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    told: list[str] = []
    steps = 0

    def loss(rng: np.random.Generator, dice: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        nonlocal steps
        steps += 1
        if steps == stop:
            raise Interrupted
        given = torch.randn((8, 3), generator=dice)
        return ((model(given) - float(rng.normal()) * given[:, :2]) ** 2).mean(), {}

    fit(Bench(folder=folder, seed=5, device="cpu", say=told.append), "line", model, PART, loss)
    return model


def test_a_training_that_was_interrupted_ends_as_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.pocket.fitting._SAVE_SECONDS", 0.0)
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = train(tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(tmp_path / "broken", stop=24)
    resumed = train(tmp_path / "broken")

    assert torch.equal(whole.weight, resumed.weight)
    assert torch.equal(whole.weight, train(tmp_path / "whole").weight), "a finished training is not trained again"


@pytest.mark.parametrize("step", [5, 400, 999])
def test_the_scheduler_sees_the_target_when_the_network_says_the_velocity(step: int) -> None:
    scheduler = new_scheduler()
    scheduler.set_timesteps(1000)
    dice = torch.Generator().manual_seed(0)
    target, source, noise = (torch.randn((1, 4, 8, 8), generator=dice) for _ in range(3))

    place = int((scheduler.timesteps - step).abs().argmin())
    timestep = scheduler.timesteps[place]
    sigma = scheduler.sigmas[place]
    noisy = on_the_way(target, source, noise, sigma=sigma, start=noise_levels()[-1])
    seen = scheduler.step(velocity(noisy, target, sigma), timestep, noisy).pred_original_sample

    assert torch.allclose(seen, target, atol=2e-3)


def test_a_whole_walk_from_the_original_stays_on_the_way_and_ends_at_the_repaint() -> None:
    scheduler = new_scheduler()
    scheduler.set_timesteps(25)
    dice = torch.Generator().manual_seed(0)
    target, source, noise = (torch.randn((1, 4, 8, 8), generator=dice) for _ in range(3))
    start = scheduler.sigmas[5]
    noisy = source + start * noise

    for place, timestep in enumerate(scheduler.timesteps[5:], 5):
        sigma = scheduler.sigmas[place]
        assert torch.allclose(noisy, on_the_way(target, source, noise, sigma=sigma, start=start), atol=1e-3)
        noisy = scheduler.step(velocity(noisy, target, sigma), timestep, noisy).prev_sample

    assert torch.allclose(noisy, target, atol=1e-3)
