"""Several spaces in one head: what its cosine is, how parts are named, and how they are weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.errors import UnknownComponent
from trainer.fit.config import TrainingConfig
from trainer.heads.closed_form import FittingPairs
from trainer.heads.frozen import FrozenHead
from trainer.heads.fused import FusedHead
from trainer.heads.fusion_weights import choose_fusion_weights, simplex
from trainer.heads.pair_whitening import PairWhiteningHead
from trainer.heads.parts import HeadPart, default_parts, parse_heads, placed_parts
from trainer.heads.registry import new_head

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Made = Callable[..., FittingPairs]


def as_they_are(rows: Vectors) -> Vectors:
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def side_by_side(*all_pairs: FittingPairs) -> FittingPairs:
    first = all_pairs[0]
    return FittingPairs(
        originals=np.concatenate([pairs.originals for pairs in all_pairs], axis=1),
        repaints=np.concatenate([pairs.repaints for pairs in all_pairs], axis=1),
        original_of_repaint=first.original_of_repaint,
        groups=first.groups,
        levels=first.levels,
    )


def test_the_cosine_of_a_fused_head_is_the_weighted_sum_of_its_parts_cosines(nuisance_pairs: Made) -> None:
    pairs = nuisance_pairs(20)
    whitening = PairWhiteningHead(dimension=20)
    whitening.fit(pairs)
    both = side_by_side(pairs, nuisance_pairs(20, seed=1))
    head = FusedHead([whitening, FrozenHead(dimension=20)], [slice(0, 20), slice(20, 40)], [0.3, 0.7]).eval()
    vectors = torch.from_numpy(both.originals)

    out = head(vectors)

    one, other = whitening(vectors[:, :20]), as_they_are(both.originals[:, 20:])
    assert out.shape == (20, 40)
    assert np.allclose(out @ out.T, 0.3 * (one @ one.T).numpy() + 0.7 * other @ other.T, atol=1e-5)
    assert torch.allclose(out.norm(dim=-1), torch.ones(20), atol=1e-5)


def test_one_space_may_have_two_parts_and_a_part_of_weight_zero_adds_nothing() -> None:
    vectors = torch.randn(5, 6)
    head = FusedHead([FrozenHead(dimension=6), FrozenHead(dimension=6)], [slice(0, 6), slice(0, 6)], [0.0, 1.0]).eval()

    assert torch.equal(head(vectors), FrozenHead(dimension=6)(vectors))


def test_parts_are_weighed_equally_until_something_else_is_known() -> None:
    assert FusedHead([FrozenHead(dimension=2)] * 4, [slice(0, 2)] * 4).weights.tolist() == [0.25] * 4


@settings(deadline=None)
@given(parts=st.integers(1, 8))
def test_the_grid_holds_all_corners_and_each_weighting_sums_to_one(parts: int) -> None:
    grid = simplex(parts)

    assert {tuple(row) for row in np.eye(parts)} <= set(grid)
    assert len(set(grid)) == len(grid) <= 300
    assert np.allclose(np.array(grid).sum(axis=1), 1)
    assert (np.array(grid) >= 0).all()


def test_two_parts_are_weighed_in_steps_of_a_tenth() -> None:
    assert sorted(simplex(2)) == [(step / 10, (10 - step) / 10) for step in range(11)]


def test_a_space_that_tells_nothing_is_given_no_weight(nuisance_pairs: Made) -> None:
    useful = nuisance_pairs(40, signal=16, nuisance=1, noise=0.1)
    random = np.random.default_rng(0)
    useless = FittingPairs(
        originals=random.normal(size=(40, 8)).astype(np.float32),
        repaints=random.normal(size=(80, 8)).astype(np.float32),
        original_of_repaint=useful.original_of_repaint,
        groups=useful.groups,
    )

    found = choose_fusion_weights([as_they_are, as_they_are], [slice(0, 17), slice(17, 25)], side_by_side(useful, useless))

    assert found.weights[0] >= 0.6


def test_two_spaces_that_each_see_half_are_both_used_and_no_figure_is_given_up(nuisance_pairs: Made) -> None:
    """Moderate repaints are told apart by one space alone, radical ones by the other alone."""
    one, other = (nuisance_pairs(40, signal=8, nuisance=1, noise=0.1, seed=seed) for seed in (1, 2))
    random = np.random.default_rng(0)
    assert one.levels is not None
    radical = one.levels == "radical"
    one.repaints[radical] = random.normal(size=(40, 9))
    other.repaints[~radical] = random.normal(size=(40, 9))
    columns = [slice(0, 9), slice(9, 18)]

    found = choose_fusion_weights([as_they_are, as_they_are], columns, side_by_side(one, other))

    assert all(0.3 <= weight <= 0.7 for weight in found.weights)
    assert found.shortfall < 0.5


def test_of_weightings_that_are_all_perfect_the_middle_one_is_taken() -> None:
    """The second space is perfect and outvotes the first as soon as it weighs more, so the plateau reaches to its corner."""
    random = np.random.default_rng(1)
    one, other = np.zeros((12, 2), np.float32), np.eye(12, dtype=np.float32)
    one[:, 0] = 1
    one[:6, 0], one[:6, 1] = 0, random.choice([1.0, -1.0], size=6)
    originals = np.concatenate([one, other], axis=1)
    pairs = FittingPairs(
        originals=originals,
        repaints=np.concatenate([-one, other], axis=1),
        original_of_repaint=np.arange(12),
        groups=np.arange(12),
    )

    found = choose_fusion_weights([as_they_are, as_they_are], [slice(0, 2), slice(2, 14)], pairs)

    assert (found.shortfall, found.mean) == (0, 1)
    assert 0.7 <= found.weights[1] <= 0.9


def test_weights_are_the_same_whichever_part_is_named_first(nuisance_pairs: Made) -> None:
    one, other = nuisance_pairs(25, seed=1), nuisance_pairs(25, seed=2, noise=2.0)
    columns = [slice(0, 20), slice(20, 40)]

    first = choose_fusion_weights([as_they_are] * 2, columns, side_by_side(one, other))
    second = choose_fusion_weights([as_they_are] * 2, columns, side_by_side(other, one))

    assert first.weights == second.weights[::-1]
    assert first.shortfall == pytest.approx(second.shortfall)


def test_heads_are_named_alone_or_by_space() -> None:
    assert parse_heads(["mlp"]) == ("mlp", ())
    assert parse_heads(["clip=lda", "latents=pair-whitening"]) == (
        "fused",
        (HeadPart(space="clip", head="lda"), HeadPart(space="latents", head="pair-whitening")),
    )
    assert parse_heads(["clip=lda"])[0] == "fused"


@pytest.mark.parametrize("texts", [["mlp", "lda"], ["clip=lda", "mlp"], ["clip="], ["=lda"], ["clip=fused"], []])
def test_heads_named_in_another_way_are_refused(texts: list[str]) -> None:
    if texts:
        with pytest.raises(ValueError, match=r"SPACE=NAME|cannot be one"):
            parse_heads(texts)


def test_parts_lie_where_their_space_lies() -> None:
    parts = parse_heads(["latents=pair-whitening", "clip=frozen", "clip=lda"])[1]

    placed = placed_parts(parts, {"clip": 512, "latents": 4096})

    assert [part.columns for part in placed] == [slice(512, 4608), slice(0, 512), slice(0, 512)]
    with pytest.raises(UnknownComponent, match="no space 'dino'; they have: clip"):
        placed_parts([HeadPart(space="dino", head="lda")], {"clip": 512})


def test_fused_without_named_parts_takes_every_space() -> None:
    config = TrainingConfig(head="fused").in_spaces({"clip": 8, "latents": 16})

    assert [str(part) for part in config.parts] == ["clip=frozen", "clip=lda", "latents=pair-whitening"]
    assert config.parts == placed_parts(default_parts(["clip", "latents"]), {"clip": 8, "latents": 16})
    assert TrainingConfig(head="mlp").in_spaces({"clip": 8}).parts == ()


def test_a_configuration_builds_its_parts_and_saved_shapes_fit_them(nuisance_pairs: Made) -> None:
    config = TrainingConfig(head="fused").in_spaces({"clip": 20, "latents": 20})
    head = new_head(40, config)
    assert isinstance(head, FusedHead)
    pairs = side_by_side(nuisance_pairs(12), nuisance_pairs(12, seed=4))
    for part, columns in zip(head.parts, head.columns, strict=True):
        part.fit(pairs.of_columns(columns))  # type: ignore[operator]
    fresh = new_head(40, config)

    fresh.make_room({name: tuple(tensor.shape) for name, tensor in head.state_dict().items()})
    fresh.load_state_dict(head.state_dict())

    vectors = torch.from_numpy(pairs.repaints)
    assert torch.equal(fresh.eval()(vectors), head.eval()(vectors))


def test_a_fused_head_without_parts_cannot_be_built() -> None:
    with pytest.raises(UnknownComponent, match="made of parts"):
        new_head(8, TrainingConfig(head="fused"))
