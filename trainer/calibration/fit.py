"""The calibration of a trained head, from the validation side of its split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from db.training import Split
from trainer.calibration.calibration import ModelCalibration, PairCalibration, SearchCalibration
from trainer.calibration.curve import CalibrationMethod
from trainer.calibration.fitting import fit_curve, fit_logistic, limits
from trainer.calibration.pair_cases import pair_cases
from trainer.calibration.reliability import cross_fitted, reliability
from trainer.calibration.scored_cases import ScoredCases
from trainer.calibration.search_cases import search_cases
from trainer.data.pair_table import pair_table
from trainer.heads.projection import project
from trainer.metrics.similarities import CosineSimilarities

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.calibration.search_cases import SearchCases
    from trainer.data.dataset import EmbeddingDataset
    from trainer.data.pair_table import PairTable
    from trainer.heads.siamese import SiameseHead

#: Fewer true pairs, or fewer artists, tell nothing: there is no calibration then.
LEAST_PAIRS, LEAST_ARTISTS = 8, 4

#: True cases from which the curve is isotonic. In simulated campaigns it was nearer to the truth from some 120 true pairs, for a mixture
#: of near and far pairs is not logistic; of searches the logistic curve was still nearer at 500.
ISOTONIC_PAIRS, ISOTONIC_SEARCHES = 200, 1000

#: Validation repaints that are drawn at most: more hardly move a curve, and each is compared with a whole gallery.
MOST_REPAINTS = 4096


def calibrate_head(head: SiameseHead, dataset: EmbeddingDataset, splits: dict[str, Split], *, seed: int) -> ModelCalibration | None:
    """Fitted on the validation groups; None if they are too few.

    Pairs are of validation groups alone. Searches go over training and validation originals, so that the gallery is no smaller than it
    has to be; nothing of the test side is seen.
    """
    table = pair_table(dataset.originals, dataset.repaints)
    known, _, _ = table.of_groups([group for group, side in splits.items() if side is not Split.TEST])
    validation, _, _ = table.of_groups([group for group, side in splits.items() if side is Split.VALIDATION])
    vectors, rows = project(head, dataset.embeddings.vectors), dataset.embeddings.rows
    pairs = calibrate_pairs(_cosines(vectors, rows, validation), validation, seed=seed)
    if pairs is None:
        return None
    mine = np.flatnonzero(np.isin(known.repaint_groups, np.unique(validation.repaint_groups)))
    search = calibrate_search(_cosines(vectors, rows, known), known, mine, seed=seed)
    return ModelCalibration(seed=seed, pairs=pairs, search=search)


def calibrate_pairs(similarities: CosineSimilarities, table: PairTable, *, seed: int) -> PairCalibration | None:
    """The curve of pairs of this table; None if they are too few."""
    cases = pair_cases(similarities, table, _drawn(np.arange(len(table.repaints)), seed), seed=seed)
    if not _enough(cases):
        return None
    curve = fit_curve(cases, seed=seed, method=_method(cases, ISOTONIC_PAIRS))
    left_out = cross_fitted(cases, seed=seed, method=curve.method)
    return PairCalibration(curve=curve, reliability=reliability(cases, left_out, seed=seed))


def calibrate_search(
    similarities: CosineSimilarities, table: PairTable, queries: npt.NDArray[np.int64], *, seed: int
) -> SearchCalibration | None:
    """The curve of searches among the originals of this table by some of its repaints; None if they are too few."""
    found = search_cases(similarities, table, _drawn(queries, seed))
    weighted = np.column_stack([found.similarities, found.margins])
    cases = _as_cases(found, weighted[:, 0])
    if not _enough(cases):
        return None
    weights, _ = fit_logistic(weighted, cases.truth, cases.weights, limits(cases))
    cases = _as_cases(found, weighted @ weights)
    curve = fit_curve(cases, seed=seed, method=_method(cases, ISOTONIC_SEARCHES))
    left_out = cross_fitted(cases, seed=seed, method=curve.method)
    judged = np.where(found.nearest, left_out, np.nan)
    return SearchCalibration(
        similarity_weight=float(weights[0]),
        margin_weight=float(weights[1]),
        curve=curve,
        gallery=found.gallery,
        reliability=reliability(cases, judged, seed=seed),
    )


def _as_cases(found: SearchCases, scores: npt.NDArray[np.float64]) -> ScoredCases:
    return ScoredCases(scores=scores, truth=found.truth, weights=np.ones(len(scores)), artists=found.artists)


def _method(cases: ScoredCases, isotonic_from: int) -> CalibrationMethod:
    return CalibrationMethod.ISOTONIC if cases.truth.sum() >= isotonic_from else CalibrationMethod.PLATT


def _enough(cases: ScoredCases) -> bool:
    true = cases.truth
    return bool(true.sum() >= LEAST_PAIRS and not true.all() and len(np.unique(cases.artists[true])) >= LEAST_ARTISTS)


def _drawn(rows: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    if len(rows) <= MOST_REPAINTS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_REPAINTS, replace=False))


def _cosines(vectors: npt.NDArray[np.float32], rows: dict[str, int], table: PairTable) -> CosineSimilarities:
    return CosineSimilarities(vectors[[rows[one] for one in table.originals.hashes]], vectors[[rows[one] for one in table.repaints.hashes]])
