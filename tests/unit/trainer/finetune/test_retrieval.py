from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from trainer.finetune.retrieval import first_places

if TYPE_CHECKING:
    from trainer.data.dataset import EmbeddingDataset


def dataset(originals: list[list[float]], repaints: list[tuple[int, str, list[float]]]) -> EmbeddingDataset:
    """Originals 0, 1, ... of groups g0, g1, ...; repaints by the number of their original, their level and their vector."""
    names = [f"o{number}" for number in range(len(originals))] + [f"r{number}" for number in range(len(repaints))]
    vectors = np.array([*originals, *(vector for _, _, vector in repaints)], dtype=np.float32)
    facts = SimpleNamespace(
        originals=[SimpleNamespace(artwork_id=n, content_hash=f"o{n}", group_key=f"g{n}") for n in range(len(originals))],
        repaints=[SimpleNamespace(artwork_id=of, level=level, content_hash=f"r{n}") for n, (of, level, _) in enumerate(repaints)],
        embeddings=SimpleNamespace(rows={name: row for row, name in enumerate(names)}, vectors=vectors),
    )
    return cast("EmbeddingDataset", facts)


def test_a_repaint_counts_if_its_own_original_is_the_nearest_of_the_tested_ones() -> None:
    made = dataset(
        [[1, 0], [0, 1], [-1, 0]],
        [(0, "moderate", [0.9, 0.1]), (0, "radical", [0.1, 0.9]), (1, "moderate", [0.2, 0.9]), (2, "radical", [0.1, 0.9])],
    )

    assert first_places(made, {"g0", "g1", "g2"}) == {"all": 0.5, "moderate": 1.0, "radical": 0.0}
    assert first_places(made, {"g0", "g2"}) == pytest.approx({"all": 2 / 3, "moderate": 1.0, "radical": 0.5})


def test_originals_that_are_equally_near_count_as_a_coin_would() -> None:
    assert first_places(dataset([[1, 0], [1, 0]], [(0, "radical", [1, 0])]), {"g0", "g1"})["all"] == 0.5
