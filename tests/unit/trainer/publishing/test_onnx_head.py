from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from trainer.errors import HeadNotExported
from trainer.heads.projection import project
from trainer.heads.siamese import SiameseHead
from trainer.publishing.onnx_head import TOLERANCE, export_head

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from trainer.model_folder import TrainedModel


class CountingHead(SiameseHead):
    """Computes something else each time, so no file can be equal to it."""

    def __init__(self, **sizes: float) -> None:
        super().__init__(dimension=0, hidden=0, out=0, dropout=0)
        self.weight = nn.Parameter(torch.eye(12))
        self.calls = 0

    def forward(self, vectors: Tensor) -> Tensor:
        self.calls += 1
        return nn.functional.normalize(vectors @ self.weight + self.calls, dim=-1)


@pytest.mark.parametrize("size", [1, 7, 300])
def test_the_file_computes_what_the_head_computes_for_batches_of_any_size(model: TrainedModel, tmp_path: Path, size: int) -> None:
    exported = export_head(model, tmp_path / "deep" / "head.onnx")
    vectors = np.random.default_rng(1).normal(size=(size, 12)).astype(np.float32)

    session = onnxruntime.InferenceSession(str(exported.file))
    (found,) = session.run(["embeddings"], {"vectors": vectors})

    assert np.abs(found - project(model.head, vectors)).max() <= TOLERANCE
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert (exported.dimension, exported.out, exported.opset) == (12, 8, 17)
    assert exported.difference <= TOLERANCE


def test_the_file_says_of_which_image_model_it_wants_vectors(model: TrainedModel, tmp_path: Path) -> None:
    loaded = onnx.load(str(export_head(model, tmp_path / "head.onnx").file))

    properties = {one.key: one.value for one in loaded.metadata_props}
    assert properties["paragone.campaign"] == "studies"
    assert "openai/clip-vit-base-patch32" in properties["paragone.image_model"]
    assert [one.version for one in loaded.opset_import] == [17]


def test_a_file_that_differs_from_the_head_is_not_kept(model: TrainedModel, tmp_path: Path) -> None:
    with pytest.raises(HeadNotExported, match="was not kept"):
        export_head(replace(model, head=CountingHead()), tmp_path / "head.onnx")

    assert list(tmp_path.iterdir()) == []
