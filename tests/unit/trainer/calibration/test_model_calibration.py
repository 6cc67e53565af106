"""From the pairs and searches of a validation side to the calibration of a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from db.results.pairs import Repaint
from db.training import Split
from trainer.calibration import fit
from trainer.calibration.calibration import CALIBRATION, ModelCalibration, SearchCalibration, read_calibration, write_calibration
from trainer.calibration.curve import CalibrationCurve, CalibrationMethod
from trainer.calibration.fit import ISOTONIC_PAIRS, calibrate_head, calibrate_pairs, calibrate_search
from trainer.calibration.pair_cases import pair_cases
from trainer.calibration.search_cases import margins, search_cases
from trainer.calibration.words import pair_words, search_words
from trainer.data.embeddings import Embeddings, unit_length
from trainer.data.originals import GroupedOriginal
from trainer.data.pair_table import PairTable, pair_table
from trainer.errors import BadModelFolder
from trainer.heads.mlp import MlpHead
from trainer.metrics.similarities import CosineSimilarities

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


FALLING = json.dumps(
    {"method": "platt", "scores": [0, 1], "probabilities": [0.9, 0.1], "low": [0, 0], "high": [1, 1]}
    | {"positives": 9, "negatives": 9, "artists": 9}
).encode()


def original(number: int, artist: str | None, group: str | None = None) -> GroupedOriginal:
    group = group or f"g{number:04}"
    return GroupedOriginal(
        artwork_id=number, key=f"k{number:04}", group_key=group, content_hash=f"o{number}", styles=frozenset(), artist=artist
    )


def repaint(artwork: int, level: str = "radical") -> Repaint:
    known: dict[str, Any] = {"image_id": 0, "variation_id": 0, "seed": 7, "pixel_hash": "", "width": 1, "height": 1, "brief": ""}
    texts: dict[str, Any] = {"prompt": "p", "prompt_tokens": 1, "caption": None, "recaption": None, "provenance": {}}
    return Repaint(artwork_id=artwork, level=level, ordinal=0, content_hash=f"r{artwork}{level}", **known | texts)


def campaign(count: int, artists: int, noise: float, seed: int = 0) -> tuple[PairTable, CosineSimilarities]:
    """Works in 24 dimensions, a repaint being its original and noise."""
    rng = np.random.default_rng(seed)
    originals = unit_length(rng.normal(size=(count, 24)).astype(np.float32))
    repaints = unit_length(originals + (noise * rng.normal(size=(count, 24)) / 24**0.5).astype(np.float32))
    works = [original(number, f"artist {number % artists}") for number in range(count)]
    return pair_table(works, [repaint(number) for number in range(count)]), CosineSimilarities(originals, repaints)


def test_each_repaint_meets_its_own_the_nearest_one_of_its_artist_and_any() -> None:
    table = pair_table(
        [original(0, "A"), original(1, "A"), original(2, "B"), original(3, None), original(4, "A", group="g0000")], [repaint(0), repaint(3)]
    )
    cosines = np.array([[0.9, 0.2, 0.5, 0.1, 0.99], [0.3, 0.4, 0.1, 0.8, 0.6]], dtype=np.float32)

    class Given(CosineSimilarities):
        def repaints_to_originals(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
            return cosines[rows]

    found = pair_cases(Given(cosines, cosines), table, np.arange(2), seed=0)

    first = found.artists == found.artists[0]
    assert found.scores[first & found.truth].tolist() == pytest.approx([0.9])
    # A copy (0.99) is no other original; the only other work of the artist is 0.2; any is 0.2, 0.5 or 0.1.
    nearest, same_artist, any_one = found.scores[first & ~found.truth].tolist()
    assert (nearest, same_artist) == pytest.approx((0.5, 0.2))
    assert round(any_one, 6) in {0.1, 0.2, 0.5}
    # Nobody is known to be of the same artist as an unknown one.
    assert len(found.scores[~first]) == 3
    assert found.scores[~first & found.truth].tolist() == pytest.approx([0.8])
    for of_one in (first, ~first):
        assert found.weights[of_one & found.truth].sum() == pytest.approx(found.weights[of_one & ~found.truth].sum()) == pytest.approx(1)


def test_a_candidate_stands_above_the_best_of_another_group() -> None:
    scores = np.array([[0.9, 0.8, 0.5], [0.7, 0.6, 0.2], [0.4, 0.3, 0.2], [0.5, 0.4, -np.inf], [0.5, -np.inf, -np.inf]])
    groups = np.array([[1, 1, 2], [1, 2, 2], [3, 3, 3], [1, 2, 9], [1, 9, 9]])

    found = margins(scores, groups)

    assert found == pytest.approx(np.array([[0.4, 0.3, -0.4], [0.1, -0.1, -0.5], [0, 0, 0], [0.1, -0.1, 0], [0, 0, 0]]))


def test_every_query_searches_with_its_origin_and_without() -> None:
    table, similarities = campaign(30, 6, 0.5)

    found = search_cases(similarities, table, np.arange(5, 25))

    assert found.nearest.sum() == 40
    assert len(found.truth) == 400
    assert found.truth.sum() == 20
    assert (found.margins[found.truth & found.nearest] > 0).all()
    assert found.gallery == 30
    everything = similarities.repaints_to_originals(np.arange(5, 6))[0].astype(np.float64)
    assert found.similarities[:10] == pytest.approx(np.sort(everything)[::-1][:10])
    out = found.similarities[20 * 10 : 20 * 10 + 10]  # the same query, its original taken out
    assert out == pytest.approx(np.sort(np.delete(everything, 5))[::-1][:10])


def test_probabilities_of_pairs_hold_on_works_that_the_fit_has_not_seen() -> None:
    table, similarities = campaign(600, 40, 1.2)
    fresh, others = campaign(600, 40, 1.2, seed=1)

    calibration = calibrate_pairs(similarities, table, seed=0)

    assert calibration is not None
    assert calibration.reliability is not None
    assert calibration.reliability.expected_calibration_error < 0.05
    seen = pair_cases(others, fresh, np.arange(600), seed=1)
    p = calibration.curve.probability(seen.scores)
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1)):
        chosen = (p >= low) & (p < high)
        share = np.average(seen.truth[chosen], weights=seen.weights[chosen])
        assert share == pytest.approx(np.average(p[chosen], weights=seen.weights[chosen]), abs=0.07)


def test_probabilities_of_searches_hold_with_the_origin_in_the_gallery_or_not() -> None:
    table, similarities = campaign(500, 40, 1.0)
    calibration = calibrate_search(similarities, table, np.arange(500), seed=0)
    _, others = campaign(500, 40, 1.0, seed=1)

    assert calibration is not None
    right, said, none = [], [], []
    cosines = others.repaints_to_originals(np.arange(500)).astype(np.float64)
    for out in (False, True):
        for row, own in zip(cosines, range(500), strict=True):
            shown = np.delete(row, own) if out else row
            nearest = np.argsort(-shown)[:10]
            judged = calibration.judge(shown[nearest], nearest)
            said.append(judged.probabilities[0])
            right.append(not out and nearest[0] == own)
            none.append(judged.none)
            assert sum(judged.probabilities) + judged.none == pytest.approx(1)
            assert list(judged.probabilities) == sorted(judged.probabilities, reverse=True)
    assert 0.3 < np.mean(right) < 0.49  # neither hopeless nor easy
    assert np.mean(said) == pytest.approx(np.mean(right), abs=0.03)
    sure = np.array(said) > 0.7
    assert np.mean(np.array(right)[sure]) == pytest.approx(np.mean(np.array(said)[sure]), abs=0.05)
    assert np.mean(none[500:]) > np.mean(none[:500]) + 0.2


def test_a_similarity_that_many_works_have_says_less() -> None:
    table, similarities = campaign(400, 40, 1.2)
    calibration = calibrate_search(similarities, table, np.arange(400), seed=0)

    assert calibration is not None
    groups = np.arange(3)
    alone = calibration.judge(np.array([0.6, 0.3, 0.2]), groups).probabilities[0]
    crowded = calibration.judge(np.array([0.6, 0.59, 0.58]), groups).probabilities[0]
    assert alone > crowded + 0.1


def test_all_candidates_together_have_at_most_one() -> None:
    curve = CalibrationCurve(
        method=CalibrationMethod.PLATT, scores=(0.0,), probabilities=(0.8,), low=(0.7,), high=(0.9,), positives=9, negatives=9, artists=9
    )
    flat = SearchCalibration(similarity_weight=1, margin_weight=0, curve=curve, gallery=3)

    judged = flat.judge(np.array([0.9, 0.8]), np.array([1, 2]))

    assert judged.probabilities == pytest.approx((0.5, 0.5))
    assert judged.none == pytest.approx(0)
    assert flat.judge(np.array([0.9, 0.8]), np.array([1, 1])).none == pytest.approx(0.2)
    assert flat.judge(np.zeros(0), np.zeros(0, dtype=np.int64)).none == 1


class _Dataset:
    """What the calibration reads of an `EmbeddingDataset`."""

    def __init__(self, count: int, artists: int) -> None:
        table, vectors = campaign(count, artists, 0.8)
        self.originals = tuple(original(number, f"artist {number % artists}") for number in range(count))
        self.repaints = tuple(repaint(number) for number in range(count))
        rows = {name: row for row, name in enumerate((*table.originals.hashes, *table.repaints.hashes))}
        self.embeddings = Embeddings(vectors=np.concatenate([vectors.originals, vectors.repaints]), rows=rows)


def sides(count: int, validation: int, test: int) -> dict[str, Split]:
    names = [f"g{number:04}" for number in range(count)]
    return {
        name: Split.VALIDATION if place < validation else Split.TEST if place < validation + test else Split.TRAIN
        for place, name in enumerate(names)
    }


def test_a_head_is_calibrated_on_its_validation_side_and_sees_nothing_of_the_test_side() -> None:
    torch.manual_seed(0)
    head, dataset = MlpHead(dimension=24, hidden=16, out=8).eval(), _Dataset(60, 12)
    splits = sides(60, 20, 15)

    found = calibrate_head(head, dataset, splits, seed=3)  # type: ignore[arg-type]
    spoilt = dataset.embeddings.vectors.copy()
    spoilt[[*range(20, 35), *range(80, 95)]] *= -1  # originals and repaints of the test side
    dataset.embeddings = Embeddings(vectors=spoilt, rows=dataset.embeddings.rows)

    assert found is not None
    assert found.search is not None
    assert (found.pairs.curve.positives, found.pairs.curve.artists) == (20, 12)
    assert found.search.gallery == 45
    assert calibrate_head(head, dataset, splits, seed=3) == found  # type: ignore[arg-type]


def test_the_method_follows_from_the_number_of_true_pairs() -> None:
    (few, near), (many, far) = campaign(ISOTONIC_PAIRS - 1, 40, 1.0), campaign(ISOTONIC_PAIRS, 40, 1.0)

    platt, isotonic = calibrate_pairs(near, few, seed=0), calibrate_pairs(far, many, seed=0)

    assert platt is not None
    assert isotonic is not None
    assert (platt.curve.method, isotonic.curve.method) == (CalibrationMethod.PLATT, CalibrationMethod.ISOTONIC)


@pytest.mark.parametrize(("validation", "artists"), [(7, 60), (20, 3)])
def test_too_few_pairs_or_artists_give_no_calibration(validation: int, artists: int) -> None:
    head, dataset = MlpHead(dimension=24, hidden=16, out=8).eval(), _Dataset(60, artists)

    assert calibrate_head(head, dataset, sides(60, validation, 15), seed=0) is None  # type: ignore[arg-type]


def test_of_many_repaints_some_are_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "MOST_REPAINTS", 50)
    table, similarities = campaign(200, 20, 0.8)

    first, again, other = (calibrate_pairs(similarities, table, seed=seed) for seed in (0, 0, 1))

    assert first is not None
    assert first.curve.positives == 50
    assert first == again
    assert first != other


def test_a_calibration_is_kept_as_numbers_and_comes_back(tmp_path: Path) -> None:
    table, similarities = campaign(60, 10, 0.9)
    pairs = calibrate_pairs(similarities, table, seed=0)
    search = calibrate_search(similarities, table, np.arange(60), seed=0)
    assert pairs is not None
    calibration = ModelCalibration(seed=0, pairs=pairs, search=search)

    write_calibration(tmp_path, calibration)

    assert read_calibration(tmp_path) == calibration
    kept = json.loads((tmp_path / CALIBRATION).read_text())
    assert "one pair in two" in kept["pairs"]["question"]
    assert kept["pairs"]["curve"]["scores"][0] < kept["pairs"]["curve"]["scores"][-1]
    write_calibration(tmp_path, None)
    write_calibration(tmp_path, None)
    assert read_calibration(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "cannot be read"),
        (b'{"seed": 0}', "pairs: Field required"),
        (b'{"format": 2}', "format"),
        (b'{"seed": 0, "pairs": {"curve": %s}}' % FALLING, "do not fall"),
    ],
)
def test_a_damaged_calibration_is_refused_in_one_line_that_names_the_mend(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / CALIBRATION).write_bytes(content)

    with pytest.raises(BadModelFolder, match=message) as caught:
        read_calibration(tmp_path)

    assert "\n" not in str(caught.value)
    assert "train again, or remove it" in str(caught.value)


@pytest.mark.parametrize(
    ("probability", "interval", "words"),
    [
        (0.97, (0.9, 0.99), "very probably an original and its repaint"),
        (0.97, (0.4, 0.99), "cannot be told"),
        (0.8, (0.6, 0.9), "probably an original and its repaint"),
        (0.6, (0.55, 0.65), "cannot be told"),
        (0.2, (0.1, 0.4), "probably not an original and its repaint"),
        (0.02, (0.0, 0.1), "very probably not an original and its repaint"),
        (0.02, (0.0, 0.6), "cannot be told"),
    ],
)
def test_words_follow_from_the_probability_and_its_interval(probability: float, interval: tuple[float, float], words: str) -> None:
    assert pair_words(probability, interval) == words


@pytest.mark.parametrize(
    ("probability", "none", "words"),
    [
        (0.96, 0.03, "very probably made from monet_x"),
        (0.76, 0.2, "probably made from monet_x"),
        (0.02, 0.97, "very probably made from none of these"),
        (0.1, 0.8, "probably made from none of these"),
        (0.4, 0.3, "cannot be told"),
    ],
)
def test_words_of_a_search_name_the_origin_or_none(probability: float, none: float, words: str) -> None:
    assert search_words("monet_x", probability, (probability - 0.01, probability + 0.01), none) == words
