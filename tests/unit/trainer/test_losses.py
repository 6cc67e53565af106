from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.losses.contrastive import ContrastiveLoss
from trainer.losses.temperature import INITIAL_TEMPERATURE, LEAST_TEMPERATURE, Temperature

contrastive_loss = ContrastiveLoss()
cosines = st.floats(-1, 1, width=32)


@given(s_plus=cosines, s_minus=cosines, t=st.floats(0.05, 2))
def test_the_contrastive_loss_equals_the_formula_on_paper(s_plus: float, s_minus: float, t: float) -> None:
    plus, minus = torch.tensor([s_plus], dtype=torch.float64), torch.tensor([s_minus], dtype=torch.float64)

    on_paper = -math.log(math.exp(s_plus / t) / (math.exp(s_plus / t) + math.exp(s_minus / t)))

    assert float(contrastive_loss(plus, minus, t)) == pytest.approx(on_paper, rel=1e-9, abs=1e-12)


def test_the_contrastive_loss_is_the_mean_over_triplets() -> None:
    plus, minus = torch.tensor([0.9, 0.1]), torch.tensor([0.1, 0.9])

    each = [float(contrastive_loss(plus[i : i + 1], minus[i : i + 1], 0.5)) for i in range(2)]

    assert float(contrastive_loss(plus, minus, 0.5)) == pytest.approx(sum(each) / 2)


def test_the_contrastive_loss_neither_overflows_nor_loses_its_gradient_at_extreme_values() -> None:
    plus = torch.tensor([-1.0, 1.0], requires_grad=True)
    minus = torch.tensor([1.0, -1.0])

    loss = contrastive_loss(plus, minus, 1e-3)
    torch.autograd.backward(loss)

    assert float(loss.detach()) == pytest.approx(1000.0)
    assert plus.grad is not None
    assert plus.grad.tolist() == pytest.approx([-500.0, 0.0])


def test_equal_cosines_give_a_loss_of_log_two() -> None:
    assert float(contrastive_loss(torch.tensor([0.3]), torch.tensor([0.3]), 0.1)) == pytest.approx(math.log(2))


def test_a_fixed_temperature_has_no_parameters() -> None:
    temperature = Temperature(0.25)

    assert float(temperature()) == pytest.approx(0.25)
    assert list(temperature.parameters()) == []


def test_a_learned_temperature_moves_and_stays_positive() -> None:
    temperature = Temperature("learned")
    optimizer = torch.optim.SGD(temperature.parameters(), lr=5.0)
    assert float(temperature().detach()) == pytest.approx(INITIAL_TEMPERATURE)

    for _ in range(50):
        optimizer.zero_grad()
        torch.autograd.backward(contrastive_loss(torch.tensor([0.6]), torch.tensor([0.5]), temperature()))
        optimizer.step()

    assert LEAST_TEMPERATURE <= float(temperature().detach()) < INITIAL_TEMPERATURE
