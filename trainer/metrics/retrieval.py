"""Retrieval: how early the right pictures or texts come when a gallery is ranked by similarity to a query."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.negatives import same_shape
from trainer.metrics.similarities import TIE, cosines, row_blocks
from trainer.metrics.tied_ranks import TiedRun, average_precision, map_at_r, recall_at, reciprocal_rank

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.metrics.negatives import Mask
    from trainer.metrics.similarities import Block, Rows, Similarities, Vectors

    Floats = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

#: The ranks of `RetrievalValues.recall_at_1`, `recall_at_5` and `recall_at_10`.
_RANKS = (1, 5, 10)


@dataclass(frozen=True, kw_only=True)
class RetrievalValues:
    """One entry a query; NaN where the gallery holds nothing that is right. Ties count as what a coin would make of them."""

    #: Whether something right is among the first k, as in metric learning (Musgrave et al. 2020): not the share of what is right.
    recall_at_1: Floats
    recall_at_5: Floats
    recall_at_10: Floats
    #: AP = 1/R * sum over the R right items of the precision at their ranks; its mean is mAP.
    average_precision: Floats
    #: As AP, over the first R ranks only.
    map_at_r: Floats
    #: 1/rank of the first right item.
    reciprocal_rank: Floats
    #: Items that were ranked, and the right ones among them.
    gallery: Numbers
    right: Numbers

    @property
    def named(self) -> dict[str, Floats]:
        """The values of each query under the names that their means have in tables."""
        return {
            "R@1": self.recall_at_1,
            "R@5": self.recall_at_5,
            "R@10": self.recall_at_10,
            "mAP": self.average_precision,
            "MAP@R": self.map_at_r,
            "MRR": self.reciprocal_rank,
        }

    @property
    def without_answer(self) -> int:
        """Queries for which the gallery holds nothing that is right."""
        return int((self.right == 0).sum())


def repaint_to_original(
    similarities: Similarities, table: PairTable, queries: Rows | None = None, same_shape_within: float | None = None
) -> RetrievalValues:
    """Each repaint against all originals; right are its own and every copy of it.

    Args:
        similarities: Of the scorer that is measured.
        table: Its rows.
        queries: Rows of the repaints that ask; all by default.
        same_shape_within: Rank only originals whose width over height is that of the query's original within this share.
    """
    owners = table.repaints.originals if queries is None else table.repaints.originals[queries]
    rows = np.arange(len(owners)) if queries is None else queries
    return retrieve(
        lambda asked: similarities.repaints_to_originals(rows[asked]),
        table.originals.groups[owners],
        table.originals.groups,
        _of_shape(table.originals.aspects[owners], table.originals.aspects, same_shape_within),
    )


def original_to_repaint(
    similarities: Similarities,
    table: PairTable,
    level: str | None = None,
    queries: Rows | None = None,
    same_shape_within: float | None = None,
) -> RetrievalValues:
    """Each original against all repaints; right are those of its group of copies.

    Args:
        similarities: Of the scorer that is measured.
        table: Its rows.
        level: Rank only repaints of this level: beside easier ones a hard level is never seen.
        queries: Rows of the originals that ask; all by default.
        same_shape_within: Rank only repaints of originals whose width over height is that of the query within this share.
    """
    rows = np.arange(len(table.originals)) if queries is None else queries
    asked_level = None if level is None else table.repaints.levels == level
    of_shape = _of_shape(table.originals.aspects[rows], table.originals.aspects[table.repaints.originals], same_shape_within)

    def ranked(query: int) -> Mask | None:
        shape = None if of_shape is None else of_shape(query)
        return asked_level if shape is None else shape if asked_level is None else shape & asked_level

    return retrieve(
        lambda asked: similarities.originals_to_repaints(rows[asked]),
        table.originals.groups[rows],
        table.repaint_groups,
        None if level is None and of_shape is None else ranked,
    )


def retrieve_vectors(queries: Vectors, gallery: Vectors, query_groups: Numbers, gallery_groups: Numbers) -> RetrievalValues:
    """Any vectors of unit length against any others of the same space: image to text, text to image, text to text.

    Args:
        queries: (Q, d).
        gallery: (G, d); leave out rows without a text, they would be found by nothing.
        query_groups: (Q,) what is right for each query: the gallery's rows of the same number.
        gallery_groups: (G,).
    """
    return retrieve(lambda rows: cosines(queries[rows], gallery), query_groups, gallery_groups)


def retrieve(
    scores: Callable[[Rows], Block],
    query_groups: Numbers,
    gallery_groups: Numbers,
    candidates: Callable[[int], Mask | None] | None = None,
) -> RetrievalValues:
    """Every query against a gallery, by blocks; right are the items of the query's group.

    Args:
        scores: (n, G) of the queries in these rows to the whole gallery; larger is more alike.
        query_groups: (Q,).
        gallery_groups: (G,).
        candidates: For the query in a row, (G,) the items that are ranked at all; None for all.
    """
    names = [field.name for field in fields(RetrievalValues)]
    figures = {name: np.full(len(query_groups), np.nan) for name in names}
    members = _rows_by_group(gallery_groups)
    none = np.zeros(0, dtype=np.int64)
    for rows in row_blocks(len(query_groups), len(gallery_groups)):
        block = scores(rows)
        for place, query in enumerate(rows.tolist()):
            row, right = block[place], members.get(int(query_groups[query]), none)
            mask = None if candidates is None else candidates(query)
            if mask is not None:
                row, right = np.where(mask, row, np.float32(-np.inf)), right[mask[right]]
            figures["gallery"][query] = len(row) if mask is None else np.count_nonzero(mask)
            figures["right"][query] = len(right)
            for name, value in _values_of(tied_runs(row, right)).items():
                figures[name][query] = value
    return RetrievalValues(
        recall_at_1=figures["recall_at_1"],
        recall_at_5=figures["recall_at_5"],
        recall_at_10=figures["recall_at_10"],
        average_precision=figures["average_precision"],
        map_at_r=figures["map_at_r"],
        reciprocal_rank=figures["reciprocal_rank"],
        gallery=figures["gallery"].astype(np.int64),
        right=figures["right"].astype(np.int64),
    )


def tied_runs(row: Block, right: Numbers) -> list[TiedRun]:
    """The runs of one ranking that hold right items, from scores (G,) and the places of the right ones.

    Right items within `TIE` of the best of them are one run, and wrong ones within `TIE` of that belong to it.
    """
    scores = np.sort(row[right])[::-1]
    wrong = row.copy()
    wrong[right] = -np.inf
    runs: list[TiedRun] = []
    found, counted = 0, 0
    while found < len(scores):
        best = scores[found]
        tied = int(np.count_nonzero(scores[found:] >= best - TIE))
        above = max(counted, int(np.count_nonzero(wrong > best + TIE)))
        upto = max(above, int(np.count_nonzero(wrong >= best - TIE)))
        runs.append(TiedRun(before=above + found, right_before=found, right=tied, wrong=upto - above))
        found, counted = found + tied, upto
    return runs


def _values_of(runs: list[TiedRun]) -> dict[str, float]:
    if not runs:
        return {}
    recalls = {f"recall_at_{k}": recall_at(k, runs[0]) for k in _RANKS}
    return recalls | {
        "average_precision": average_precision(runs),
        "map_at_r": map_at_r(runs),
        "reciprocal_rank": reciprocal_rank(runs[0]),
    }


def _rows_by_group(groups: Numbers) -> dict[int, Numbers]:
    order = np.argsort(groups, kind="stable")
    names, starts = np.unique(groups[order], return_index=True)
    return dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True))


def _of_shape(asked: Floats, aspects: Floats, within: float | None) -> Callable[[int], Mask] | None:
    return None if within is None else lambda query: same_shape(float(asked[query]), aspects, within)
