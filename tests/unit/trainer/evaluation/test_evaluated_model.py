from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from db.results.pairs import Repaint
from trainer.data.embeddings import Embeddings, unit_length
from trainer.data.originals import GroupedOriginal
from trainer.errors import NothingToTrainOn
from trainer.evaluation.evaluated_model import EvaluatedModel
from trainer.evaluation.table import ScorerKind
from trainer.heads.siamese import SiameseHead
from trainer.spaces.space_slice import SpaceSlice

if TYPE_CHECKING:
    from torch import Tensor

#: Groups of the training side, then of the test side.
TRAIN, TEST = [f"g{number:02}" for number in range(25)], [f"g{number:02}" for number in range(25, 49)]


class FirstColumns(SiameseHead):
    """Takes the first space and leaves the rest."""

    def __init__(self) -> None:
        super().__init__(dimension=12, hidden=1, out=8, dropout=0)

    def forward(self, vectors: Tensor) -> Tensor:
        return torch.nn.functional.normalize(vectors[:, :8], dim=-1)


def repaint(number: int, level: str, caption: str | None, box: tuple[int, int, int, int] | None = None) -> Repaint:
    shown: dict[str, Any] = {"original": f"o{number}", "source_box": list(box)} if box else {}
    return Repaint(
        image_id=number, artwork_id=number, variation_id=number, level=level, ordinal=0, seed=1, content_hash=f"r{number}-{level}",
        pixel_hash="", width=60, height=40, prompt="", prompt_tokens=0, brief="", caption=caption, recaption=caption, provenance=shown,
    )  # fmt: skip


@pytest.fixture
def model() -> EvaluatedModel:
    """49 works of 10 artists; the first eight columns hold their likeness, four more are noise; all repaints share a direction."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    originals = [
        GroupedOriginal(
            artwork_id=number,
            key=f"work-{number:02}",
            group_key=f"g{number:02}",
            content_hash=f"o{number}",
            styles=frozenset({f"s{number % 2}"}),
            artist=f"a{number % 10}",
            aspect=1.5,
        )
        for number in range(49)
    ]
    repaints = [repaint(number, level, f"a study of {number}") for number in range(49) for level in ("moderate", "radical")]
    own = random.normal(size=(49, 8))
    hashes = [one.content_hash for one in originals] + [one.content_hash for one in repaints]
    rows = {content_hash: row for row, content_hash in enumerate(hashes)}
    likeness = np.concatenate([own, np.repeat(own, 2, axis=0) + 0.2 * random.normal(size=(98, 8))])
    noise = random.normal(size=(147, 4))
    vectors = np.concatenate([unit_length(likeness.astype(np.float32)), unit_length(noise.astype(np.float32))], axis=1)
    return EvaluatedModel(
        head=FirstColumns().eval(),
        embeddings=Embeddings(vectors=vectors, rows=rows),
        originals=originals,
        repaints=repaints,
        test_groups=TEST,
        train_groups=TRAIN,
        spaces=(
            SpaceSlice(name="clip", source="a/clip", revision="1", dtype="float32", start=0, stop=8),
            SpaceSlice(name="latents", source="a/vae", revision="1", dtype="float32", start=8, stop=12),
        ),
    )


def test_the_table_holds_head_spaces_probes_and_chance_over_the_test_side(model: EvaluatedModel) -> None:
    table = model.evaluate()

    rows = [(row.scorer, row.title, row.kind) for row in table.rows if row.level == "all"]
    assert rows == [
        ("trained", "trained head", ScorerKind.TRAINED),
        ("clip", "frozen CLIP", ScorerKind.FROZEN),
        ("latents", "frozen latents", ScorerKind.FROZEN),
        ("shape", "only the shape", ScorerKind.PROBE),
        ("captions", "only captions", ScorerKind.PROBE),
        ("chance", "chance", ScorerKind.CHANCE),
    ]
    assert (table.artworks, table.gallery, table.repaints, table.clusters) == (24, 24, 48, 10)
    assert table.figure("clip", "recall_at_1").value > 0.95
    assert table.figure("trained", "recall_at_1") == table.figure("clip", "recall_at_1")
    assert table.figure("latents", "recall_at_1").value < 0.3
    assert table.figure("captions", "recall_at_1").value == 1.0
    assert table.figure("shape", "same_shape").value == 0.5


def test_whether_repaints_can_be_told_is_measured_on_vectors_and_only_with_a_training_side(model: EvaluatedModel) -> None:
    model.embeddings.vectors[49:, 8] += 9.0
    model.embeddings.vectors[:49, 8] -= 9.0

    table = model.evaluate()

    assert table.figure("latents", "detected").value > 0.9
    assert table.figure("clip", "detected").value < 0.75
    assert table.row("shape").cell("detected") is None
    alone = replace(model, train_groups=TRAIN[:5]).evaluate()
    assert alone.row("clip").cell("detected") is None


def test_a_single_space_is_called_clip(model: EvaluatedModel) -> None:
    plain = replace(model, spaces=())

    assert [name for name, _, _ in plain.projections()] == ["clip", "trained"]


def test_the_shape_of_an_original_is_that_of_the_part_its_repaints_show(model: EvaluatedModel) -> None:
    cut = [repaint(one.artwork_id, one.level, None, box=(0, 0, 50, 50) if one.artwork_id == 30 else None) for one in model.repaints]
    changed = replace(model, repaints=cut)

    shape = next(scorer for scorer in changed.scorers() if scorer.name == "shape")

    row = changed.table.originals.hashes.index("o30")
    between = shape.similarities.originals_to_originals(np.arange(24))
    assert between[row, (row + 1) % 24] == pytest.approx(-np.log(1.5))
    assert "captions" not in [scorer.name for scorer in changed.scorers()]


def test_pictures_without_a_vector_are_left_out_and_none_at_all_is_refused(model: EvaluatedModel) -> None:
    del model.embeddings.rows["r30-radical"]
    assert len(model.table.repaints) == 47

    with pytest.raises(NothingToTrainOn, match="no repaint to evaluate"):
        replace(model, test_groups=["nobody"]).evaluate()
