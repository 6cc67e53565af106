from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.losses.contrastive import ContrastiveLoss
from trainer.losses.infonce import InfoNceLoss
from trainer.losses.infonce_both import InfoNceBothLoss
from trainer.losses.temperature import INITIAL_TEMPERATURE, LEAST_TEMPERATURE, Temperature
from trainer.losses.triplet_margin import MARGIN, TripletMarginLoss

contrastive_loss = ContrastiveLoss()
cosines = st.floats(-1, 1, width=32)


@settings(deadline=None)
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
    values = []
    assert float(temperature().detach()) == pytest.approx(INITIAL_TEMPERATURE)

    for _ in range(50):
        optimizer.zero_grad()
        torch.autograd.backward(contrastive_loss(torch.tensor([0.6]), torch.tensor([0.5]), temperature()))
        optimizer.step()
        temperature.keep_above_least()
        values.append(float(temperature().detach()))

    assert all(LEAST_TEMPERATURE * 0.999 <= value < INITIAL_TEMPERATURE for value in values)


def test_a_learned_temperature_at_its_floor_still_has_a_gradient_to_come_back_by() -> None:
    temperature = Temperature("learned")
    optimizer = torch.optim.SGD(temperature.parameters(), lr=1e6)
    torch.autograd.backward(contrastive_loss(torch.tensor([0.6]), torch.tensor([0.5]), temperature()))
    optimizer.step()
    temperature.keep_above_least()
    assert float(temperature().detach()) == pytest.approx(LEAST_TEMPERATURE)

    optimizer.zero_grad()
    torch.autograd.backward(contrastive_loss(torch.tensor([0.5]), torch.tensor([0.6]), temperature()))

    (log_t,) = temperature.parameters()
    assert log_t.grad is not None
    assert float(log_t.grad) < 0


def test_a_fixed_temperature_below_the_floor_stays_what_it_was_asked_to_be() -> None:
    temperature = Temperature(0.001)

    temperature.keep_above_least()

    assert float(temperature()) == pytest.approx(0.001)


def unit_vectors(count: int, seed: int) -> torch.Tensor:
    rows = torch.randn(count, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(rows, dim=-1)


@settings(deadline=None)
@given(count=st.integers(2, 9), seed=st.integers(0, 99), t=st.floats(0.05, 2))
def test_infonce_equals_the_formula_on_paper_one_way_and_both(count: int, seed: int, t: float) -> None:
    originals, repaints = unit_vectors(count, seed), unit_vectors(count, seed + 1000)
    s = (repaints @ originals.T).tolist()
    rows = [-math.log(math.exp(s[i][i] / t) / sum(math.exp(s[i][j] / t) for j in range(count))) for i in range(count)]
    columns = [-math.log(math.exp(s[i][i] / t) / sum(math.exp(s[j][i] / t) for j in range(count))) for i in range(count)]

    assert float(InfoNceLoss()(originals, repaints, t)) == pytest.approx(sum(rows) / count)
    assert float(InfoNceBothLoss()(originals, repaints, t)) == pytest.approx(sum(rows + columns) / (2 * count))


def test_infonce_and_triplet_margin_are_those_of_pytorch_metric_learning() -> None:
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.losses import NTXentLoss
    from pytorch_metric_learning.losses import TripletMarginLoss as ReferenceTripletMargin
    from pytorch_metric_learning.reducers import MeanReducer

    originals, repaints = unit_vectors(7, 0), unit_vectors(7, 1)
    labels = torch.arange(7)
    one_way = NTXentLoss(temperature=0.2)(repaints, labels, ref_emb=originals, ref_labels=labels.clone())
    back = NTXentLoss(temperature=0.2)(originals, labels, ref_emb=repaints, ref_labels=labels.clone())
    margin = ReferenceTripletMargin(margin=MARGIN, distance=CosineSimilarity(), reducer=MeanReducer())
    negatives = torch.roll(labels, 1)
    reference = margin(torch.cat([originals, repaints]), torch.cat([labels, labels]), indices_tuple=(labels, labels + 7, negatives))

    s_plus, s_minus = (originals * repaints).sum(-1), (originals * originals[negatives]).sum(-1)

    assert float(InfoNceLoss()(originals, repaints, 0.2)) == pytest.approx(float(one_way))
    assert float(InfoNceBothLoss()(originals, repaints, 0.2)) == pytest.approx(float(one_way + back) / 2)
    assert float(TripletMarginLoss()(s_plus, s_minus, 0.2)) == pytest.approx(float(reference))
