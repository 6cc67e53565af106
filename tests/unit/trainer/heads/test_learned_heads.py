"""Where learned heads start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch.nn import functional

from trainer.fit.config import TrainingConfig
from trainer.heads.lda import LdaHead
from trainer.heads.linear import LdaLinearHead, LinearHead, WhitenedLinearHead
from trainer.heads.mlp import MlpHead
from trainer.heads.pca_whitening import PcaWhiteningHead
from trainer.heads.registry import new_head
from trainer.heads.residual import ResidualHead
from trainer.heads.transformer import TransformerHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.heads.closed_form import ClosedFormHead, FittingPairs
    from trainer.heads.linear import WarmStartedHead

    Made = Callable[..., FittingPairs]


@pytest.mark.parametrize("head", [LinearHead(dimension=8, out=8), ResidualHead(dimension=8, out=3)], ids=["linear", "residual"])
def test_before_the_first_step_cosines_are_those_of_the_frozen_space(head: torch.nn.Module) -> None:
    vectors = torch.randn(6, 8)

    out = head.eval()(3 * vectors)

    assert torch.allclose(out, functional.normalize(vectors, dim=-1), atol=1e-6)


@pytest.mark.parametrize("out", [12, 40])
def test_a_linear_head_into_another_dimension_starts_as_an_orthogonal_map(out: int) -> None:
    weight = LinearHead(dimension=20, out=out).map.weight.detach()

    gram = weight @ weight.T if out < 20 else weight.T @ weight
    assert torch.allclose(gram, torch.eye(min(out, 20)), atol=1e-5)


@pytest.mark.parametrize(("kind", "closed"), [(LdaLinearHead, LdaHead), (WhitenedLinearHead, PcaWhiteningHead)])
def test_a_warm_start_gives_the_closed_forms_cosines(
    kind: type[WarmStartedHead], closed: type[ClosedFormHead], nuisance_pairs: Made
) -> None:
    train, validation = nuisance_pairs(40), nuisance_pairs(12, first=60)
    reference = closed(dimension=20)
    reference.fit(train, validation)
    head = kind(dimension=20, out=24)
    vectors = torch.from_numpy(validation.repaints)

    head.warm_start(train, validation)

    expected = reference(vectors)
    out = head.eval()(vectors)
    assert torch.allclose(out @ out.T, expected @ expected.T, atol=1e-4)


@pytest.mark.parametrize("dimension", [64, 100])
def test_the_transformer_gives_unit_vectors_of_each_vector_by_itself(dimension: int) -> None:
    head = TransformerHead(dimension=dimension, hidden=32, out=7).eval()
    vectors = torch.randn(4, dimension)

    out = head(vectors)

    assert out.shape == (4, 7)
    assert torch.allclose(out.norm(dim=-1), torch.ones(4), atol=1e-5)
    assert torch.allclose(head(vectors[:1] * 5), out[:1], atol=1e-5)


def test_the_mlp_takes_vectors_of_length_sqrt_dimension_and_by_recipe_1_of_length_one() -> None:
    new, old = (new_head(16, TrainingConfig(hidden=8, out=4, recipe=recipe)) for recipe in (2, 1))
    assert isinstance(new, MlpHead)
    assert isinstance(old, MlpHead)
    seen: list[torch.Tensor] = []
    for head in (new, old):
        head.eval().layers.register_forward_hook(lambda _module, given, _out: seen.append(given[0]))
        head(torch.randn(3, 16))

    assert [float(each.norm(dim=-1).mean()) for each in seen] == pytest.approx([4, 1], rel=1e-5)
    assert new.state_dict().keys() == old.state_dict().keys()


def test_scaled_vectors_leave_batchnorms_first_variance_about_right() -> None:
    """Of unit vectors it would be 1/dimension of what running_var starts at, which takes a hundred steps to be forgotten."""
    torch.manual_seed(0)
    head = MlpHead(dimension=256, hidden=64)
    vectors = functional.normalize(torch.randn(500, 256), dim=-1)

    variance = head.layers[0](head.length * vectors).var(dim=0).detach()

    assert 0.2 < float(variance.mean()) < 1.0
    assert np.isclose(head.length, 16)
