"""A test split that is too small is said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from trainer.evaluate.evaluation import Evaluation, evaluate_head
from trainer.evaluate.metrics_table import plain_table
from trainer.evaluate.verdict import size_notes
from trainer.heads.mlp import MlpHead
from trainer.metrics.intervals import FEWEST_CLUSTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.data.triplet_indices import TripletIndices


@pytest.mark.parametrize(("groups", "said"), [(1, True), (FEWEST_CLUSTERS - 1, True), (FEWEST_CLUSTERS, False), (500, False)])
def test_too_few_groups_are_told_whatever_the_number_of_triplets(groups: int, said: bool) -> None:
    notes = size_notes(np.repeat(np.arange(groups), 40))

    assert notes == ((f"too few for a verdict: {groups} different artworks to test on, at least 20 are needed",) if said else ())


def test_the_note_stands_in_the_record_and_under_the_table(indices: Callable[..., TripletIndices]) -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)

    few, enough = (evaluate_head(MlpHead(dimension=8), vectors, indices(30, stop=count)) for count in (10, 30))

    assert few.model_dump(mode="json")["notes"] == ["too few for a verdict: 10 different artworks to test on, at least 20 are needed"]
    assert plain_table(few).splitlines()[-1].startswith("too few for a verdict")
    assert "too few" not in plain_table(enough)


def test_records_of_earlier_versions_have_no_notes() -> None:
    assert Evaluation.model_validate({"scores": [], "left_out": 0}).notes == ()
