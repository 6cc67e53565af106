"""Each head in closed form against its plain form, and against frozen vectors where it has something to learn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh, fractional_matrix_power
from sklearn.linear_model import Ridge

from trainer.heads import lda, pair_whitening, pca_whitening, ridge
from trainer.heads.closed_form import FittingPairs
from trainer.heads.frozen import CentredFrozenHead, FrozenHead
from trainer.heads.lda import LdaHead
from trainer.heads.pair_ranks import mean_reciprocal_rank
from trainer.heads.pair_whitening import PairWhiteningHead
from trainer.heads.pca_whitening import PcaWhiteningHead
from trainer.heads.ridge import RidgeHead

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from trainer.heads.closed_form import ClosedFormHead

    Made = Callable[..., FittingPairs]
    Floats = npt.NDArray[np.float64]

LEARNING = [PcaWhiteningHead, PairWhiteningHead, LdaHead, RidgeHead]
ALL = [FrozenHead, CentredFrozenHead, *LEARNING]


def random_pairs(count: int, dimension: int, seed: int = 0) -> FittingPairs:
    random = np.random.default_rng(seed)
    originals = random.normal(size=(count, dimension)).astype(np.float32)
    repaints = (originals + 0.5 * random.normal(size=(count, dimension)) * np.linspace(0.1, 2, dimension)).astype(np.float32)
    return FittingPairs(originals=originals, repaints=repaints, original_of_repaint=np.arange(count), groups=np.arange(count))


def unit(rows: npt.NDArray[np.floating]) -> Floats:
    wide = rows.astype(np.float64)
    scaled: Floats = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return scaled


def fitted(kind: type[ClosedFormHead], pairs: FittingPairs, validation: FittingPairs | None = None, **options: int) -> ClosedFormHead:
    head = kind(dimension=pairs.originals.shape[1], **options)
    head.fit(pairs, validation)
    return head.eval()


def vectors_of(head: ClosedFormHead, rows: npt.NDArray[np.floating]) -> Floats:
    out: Floats = head(torch.from_numpy(rows.astype(np.float32))).double().numpy()
    return out


def cosines(head: ClosedFormHead, pairs: FittingPairs) -> Floats:
    return vectors_of(head, pairs.repaints) @ vectors_of(head, pairs.originals).T


@pytest.mark.parametrize("kind", LEARNING)
def test_a_fitted_head_finds_originals_that_frozen_vectors_do_not(kind: type[ClosedFormHead], nuisance_pairs: Made) -> None:
    train, validation, test = nuisance_pairs(120), nuisance_pairs(40, first=200), nuisance_pairs(60, first=300)

    head = fitted(kind, train, validation)

    frozen = fitted(FrozenHead, train).validation_score(test)
    assert head.validation_score(test) > frozen + 0.25
    assert frozen < 0.5


@pytest.mark.parametrize("kind", [PairWhiteningHead, LdaHead, RidgeHead])
def test_heads_that_know_pairs_find_a_nuisance_that_is_no_larger_than_the_signal(kind: type[ClosedFormHead], nuisance_pairs: Made) -> None:
    """Whitening of all pictures alike cannot: it sees no direction that stands out."""
    pairs = [nuisance_pairs(count, first=first, noise=1.0) for count, first in ((150, 0), (40, 200), (60, 300))]

    whitened = fitted(PcaWhiteningHead, *pairs[:2]).validation_score(pairs[2])

    assert fitted(kind, *pairs[:2]).validation_score(pairs[2]) > whitened + 0.03


@pytest.mark.parametrize("count", [6, 40], ids=["dual", "primal"])
def test_pair_whitening_is_the_inverse_root_of_the_shrunk_scatter_of_differences(count: int) -> None:
    pairs, dimension, shrinkage = random_pairs(count, 16), 16, pair_whitening.DEFAULT_SHRINKAGE
    originals, repaints = unit(pairs.originals), unit(pairs.repaints)
    scatter = (repaints - originals).T @ (repaints - originals) / count
    shrunk = (1 - shrinkage) * scatter + shrinkage * np.trace(scatter) / dimension * np.eye(dimension)
    root = np.real(fractional_matrix_power(shrunk, -0.5))
    mean = (originals.mean(axis=0) + repaints.mean(axis=0)) / 2

    head = fitted(PairWhiteningHead, pairs)

    on_paper = unit((repaints - mean) @ root) @ unit((originals - mean) @ root).T
    assert np.allclose(cosines(head, pairs), on_paper, atol=1e-5)
    assert tuple(head.state_dict()["directions"].shape) == (dimension, min(count, dimension))


def test_pair_whitening_cut_to_few_dimensions_keeps_those_in_which_whitened_originals_differ_most() -> None:
    pairs = random_pairs(60, 16)
    whole, cut = fitted(PairWhiteningHead, pairs), fitted(PairWhiteningHead, pairs, out=5)
    mean = whole.mean.double().numpy()
    centred, directions = unit(pairs.originals) - mean, whole.state_dict()["directions"].double().numpy()
    whitened = centred + centred @ directions * whole.state_dict()["gains"].double().numpy() @ directions.T
    _, vectors = eigh(whitened.T @ whitened)

    out = vectors_of(cut, pairs.originals)

    assert out.shape == (60, 5)
    assert np.allclose(out @ out.T, unit(whitened @ vectors[:, -5:]) @ unit(whitened @ vectors[:, -5:]).T, atol=1e-5)


def test_lda_solves_the_generalised_eigenproblem_of_the_scatters_of_groups() -> None:
    random = np.random.default_rng(3)
    pairs = replace(random_pairs(30, 8), groups=random.integers(0, 12, size=30))
    pictures = np.concatenate([unit(pairs.originals), unit(pairs.repaints)])
    groups = np.concatenate([pairs.groups, pairs.groups])
    mean = pictures.mean(axis=0)
    within, between = np.zeros((8, 8)), np.zeros((8, 8))
    for group in np.unique(groups):
        members = pictures[groups == group]
        within += (members - members.mean(axis=0)).T @ (members - members.mean(axis=0)) / len(pictures)
        between += len(members) / len(pictures) * np.outer(members.mean(axis=0) - mean, members.mean(axis=0) - mean)
    shrinkage = lda.DEFAULT_SHRINKAGE
    _, directions = eigh(between, (1 - shrinkage) * within + shrinkage * np.trace(within) / 8 * np.eye(8))

    head = fitted(LdaHead, pairs, out=3)

    plain = unit((pictures - mean) @ directions[:, -3:])
    out = vectors_of(head, np.concatenate([pairs.originals, pairs.repaints]))
    assert np.allclose(out @ out.T, plain @ plain.T, atol=1e-4)


@pytest.mark.parametrize(("count", "dimension"), [(10, 24), (40, 12)], ids=["fewer pictures than dimensions", "more"])
def test_ridge_is_scikit_learns_on_repaints_and_originals_together(count: int, dimension: int) -> None:
    pairs = random_pairs(count, dimension)
    originals, repaints = unit(pairs.originals), unit(pairs.repaints)
    mean = (originals.mean(axis=0) + repaints.mean(axis=0)) / 2
    inputs, targets = np.concatenate([repaints, originals]) - mean, np.concatenate([originals, originals]) - mean
    penalty = ridge.DEFAULT_ALPHA * np.trace(inputs.T @ inputs / (2 * count)) / dimension
    known = Ridge(alpha=2 * count * penalty, fit_intercept=False).fit(inputs, targets)

    head = fitted(RidgeHead, pairs)

    assert np.allclose(head.state_dict()["weight"].numpy(), known.coef_, atol=1e-5)


def test_pca_whitening_weighs_each_direction_by_its_shrunk_spread() -> None:
    pairs, shrinkage = random_pairs(50, 6), pca_whitening.DEFAULT_SHRINKAGE
    pictures = np.concatenate([unit(pairs.originals), unit(pairs.repaints)])
    centred = pictures - pictures.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(pictures))
    plain = unit(centred @ vectors / np.sqrt((1 - shrinkage) * values + shrinkage * values.mean()))

    out = vectors_of(fitted(PcaWhiteningHead, pairs), np.concatenate([pairs.originals, pairs.repaints]))

    assert np.allclose(out @ out.T, plain @ plain.T, atol=1e-5)


def test_the_centred_head_takes_off_what_all_pictures_share() -> None:
    pairs = random_pairs(30, 8)
    originals, repaints = ((unit(rows) + 5).astype(np.float32) for rows in (pairs.originals, pairs.repaints))
    shifted = replace(pairs, originals=originals, repaints=repaints)

    out = vectors_of(fitted(CentredFrozenHead, shifted), shifted.originals)

    assert abs(float((out @ out.T).mean())) < 0.1 < float(cosines(fitted(FrozenHead, shifted), shifted).mean())


@pytest.mark.parametrize("kind", ALL)
@settings(deadline=None, max_examples=8)
@given(count=st.integers(2, 14), dimension=st.integers(2, 20), seed=st.integers(0, 5))
def test_cosines_are_the_same_in_a_turned_space_and_for_vectors_of_any_length(
    kind: type[ClosedFormHead], count: int, dimension: int, seed: int
) -> None:
    pairs = random_pairs(count, dimension, seed)
    random = np.random.default_rng(seed)
    rotation = np.linalg.qr(random.normal(size=(dimension, dimension)))[0]
    lengths = random.uniform(0.1, 10, size=(count, 1))
    turned = replace(
        pairs,
        originals=(lengths * pairs.originals @ rotation).astype(np.float32),
        repaints=(pairs.repaints @ rotation / lengths).astype(np.float32),
    )

    one, other = cosines(fitted(kind, pairs), pairs), cosines(fitted(kind, turned), turned)

    assert np.isfinite(one).all()
    assert np.allclose(one, other, atol=2e-3)


@pytest.mark.parametrize("kind", ALL)
def test_equal_pairs_give_equal_buffers(kind: type[ClosedFormHead], nuisance_pairs: Made) -> None:
    train, validation = nuisance_pairs(30), nuisance_pairs(10, first=50)

    one, other = fitted(kind, train, validation).state_dict(), fitted(kind, train, validation).state_dict()

    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.parametrize("kind", ALL)
def test_repaints_equal_to_their_originals_and_a_single_pair_are_no_error(kind: type[ClosedFormHead]) -> None:
    same, single = random_pairs(9, 6), random_pairs(1, 6)
    same = replace(same, repaints=same.originals)

    for pairs in (same, single):
        assert np.isfinite(cosines(fitted(kind, pairs), pairs)).all()


@pytest.mark.parametrize("kind", ALL)
def test_a_head_takes_the_shapes_of_saved_weights_and_gives_the_same_vectors(kind: type[ClosedFormHead], nuisance_pairs: Made) -> None:
    train = nuisance_pairs(8)
    head = fitted(kind, train, nuisance_pairs(6, first=20))
    saved = head.state_dict()
    fresh = kind(dimension=head.dimension)

    fresh.make_room({name: tuple(tensor.shape) for name, tensor in saved.items()})
    fresh.load_state_dict(saved)

    assert np.array_equal(cosines(fresh.eval(), train), cosines(head, train))


@pytest.mark.parametrize("kind", LEARNING)
def test_what_is_free_is_chosen_where_validation_finds_most(
    kind: type[ClosedFormHead], nuisance_pairs: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []
    score = kind.validation_score

    def kept(head: ClosedFormHead, pairs: FittingPairs) -> float:
        tried.append(score(head, pairs))
        return tried[-1]

    monkeypatch.setattr(kind, "validation_score", kept)
    train, validation = nuisance_pairs(20), nuisance_pairs(12, first=50)

    head = fitted(kind, train, validation)
    chosen = dict(head.chosen)

    assert len(tried) >= 3
    assert chosen["validation_mrr"] == pytest.approx(max(tried), abs=1e-6)
    assert score(head, validation) == pytest.approx(max(tried))
    assert "validation_mrr" not in fitted(kind, train).chosen


def test_where_validation_tells_nothing_the_default_is_taken() -> None:
    pairs = random_pairs(30, 8)
    same = replace(random_pairs(5, 8, seed=1), groups=np.zeros(5, dtype=np.int64))

    assert fitted(PairWhiteningHead, pairs, same).chosen == {"validation_mrr": 1.0, "shrinkage": pair_whitening.DEFAULT_SHRINKAGE}


@settings(deadline=None, max_examples=25)
@given(originals=st.integers(1, 9), repaints=st.integers(1, 12), groups=st.integers(1, 4), seed=st.integers(0, 1000))
def test_the_mean_reciprocal_rank_is_that_of_a_loop_with_ties_counted_half(originals: int, repaints: int, groups: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    # Vectors of few values, so that ties are frequent.
    ours, theirs = (random.integers(-1, 2, size=(count, 2)).astype(np.float32) for count in (originals, repaints))
    pairs = FittingPairs(
        originals=ours,
        repaints=theirs,
        original_of_repaint=random.integers(0, originals, size=repaints),
        groups=random.integers(0, groups, size=originals),
        levels=np.array(["moderate", "radical"])[random.integers(0, 2, size=repaints)],
    )

    by_level: dict[str, list[float]] = {}
    for row in range(repaints):
        group = pairs.groups[pairs.original_of_repaint[row]]
        similarities = [float(theirs[row] @ one) for one in ours]
        best = max(s for s, other in zip(similarities, pairs.groups, strict=True) if other == group)
        others = [s for s, other in zip(similarities, pairs.groups, strict=True) if other != group]
        rank = 1 + sum(s > best for s in others) + sum(s == best for s in others) / 2
        assert pairs.levels is not None
        by_level.setdefault(str(pairs.levels[row]), []).append(1 / rank)
    assert mean_reciprocal_rank(ours, theirs, pairs) == pytest.approx(np.mean([np.mean(each) for each in by_level.values()]))


def test_pairs_thinned_out_keep_each_repaint_with_its_original(nuisance_pairs: Made) -> None:
    pairs = nuisance_pairs(50)

    few = pairs.at_most(7)

    assert (len(few.originals), len(few.repaints)) == (7, 14)
    for row, original in enumerate(few.original_of_repaint):
        (place,) = np.flatnonzero((pairs.repaints == few.repaints[row]).all(axis=1))
        assert np.array_equal(pairs.originals[pairs.original_of_repaint[place]], few.originals[original])
        assert pairs.groups[pairs.original_of_repaint[place]] == few.groups[original]
    assert pairs.at_most(50) is pairs
