from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from trainer.finetune.config import FinetuneConfig
from trainer.finetune.loop import schedule
from trainer.losses.infonce_both import InfoNceBothLoss


def unit(seed: int) -> torch.Tensor:
    return functional.normalize(torch.randn(9, 5, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_the_loss_is_the_mean_of_both_ways_written_out() -> None:
    a, b, t = unit(0), unit(1), 0.2
    expected = 0.0
    for i in range(9):
        there = sum(math.exp(float(a[i] @ b[j]) / t) for j in range(9))
        back = sum(math.exp(float(a[j] @ b[i]) / t) for j in range(9))
        expected += (2 * float(a[i] @ b[i]) / t - math.log(there) - math.log(back)) / -18

    assert float(InfoNceBothLoss()(a, b, t)) == pytest.approx(expected, rel=1e-5)


def test_right_pairs_cost_less_than_mixed_ones() -> None:
    a = unit(0)

    assert float(InfoNceBothLoss()(a, a, 0.1)) < float(InfoNceBothLoss()(a, a.roll(1, 0), 0.1))


def test_the_learning_rate_rises_in_a_line_and_falls_to_nothing() -> None:
    config = FinetuneConfig(steps=100, warmup=10)
    shares = [schedule(step, config) for step in range(101)]

    assert shares[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert shares[10] == 1
    assert shares[55] == pytest.approx(0.5)
    assert shares[100] == pytest.approx(0)
    assert shares[10:] == sorted(shares[10:], reverse=True)
