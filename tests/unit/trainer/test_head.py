from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.heads.mlp import MlpHead
from trainer.heads.projection import project


def test_the_head_gives_vectors_of_length_one() -> None:
    head = MlpHead(dimension=16, hidden=32, out=8).eval()

    out = head(torch.randn(5, 16) * 100)

    assert out.shape == (5, 8)
    assert torch.allclose(out.norm(dim=-1), torch.ones(5), atol=1e-6)


def test_the_length_of_an_embedding_does_not_change_the_heads_output() -> None:
    head = MlpHead(dimension=16).eval()
    vectors = torch.randn(3, 16)

    assert torch.allclose(head(vectors), head(vectors * 7), atol=1e-5)


@pytest.mark.parametrize("few", [1, 3, 7])
def test_a_vector_is_projected_to_the_same_bits_however_many_others_there_are(few: int) -> None:
    torch.manual_seed(0)
    head = MlpHead(dimension=512, hidden=256, out=64)
    vectors = torch.randn(1500, 512).numpy()

    everything = project(head, vectors)

    assert everything.shape == (1500, 64)
    assert np.array_equal(project(head, vectors[:few]), everything[:few])


def test_batchnorm_normalises_anchors_positives_and_negatives_together() -> None:
    torch.manual_seed(0)
    head = MlpHead(dimension=8, hidden=8, out=8, dropout=0.0)
    anchors, positives, negatives = torch.randn(4, 8), torch.randn(4, 8) + 3, torch.randn(4, 8) - 3
    first, norm = head.layers[0], head.layers[1]
    assert isinstance(norm, torch.nn.BatchNorm1d)
    everything = head.length * torch.nn.functional.normalize(torch.cat([anchors, positives, negatives]), dim=-1)

    head.similarities(anchors, positives, negatives)

    assert norm.num_batches_tracked is not None
    assert norm.running_mean is not None
    assert int(norm.num_batches_tracked) == 1
    assert torch.allclose(norm.running_mean, 0.1 * first(everything).mean(0), atol=1e-6)


def test_similarities_are_cosines_of_the_heads_vectors() -> None:
    head = MlpHead(dimension=8, hidden=8, out=4).eval()
    anchors, positives, negatives = torch.randn(3, 6, 8)

    s_plus, s_minus = head.similarities(anchors, positives, negatives)

    assert torch.allclose(s_plus, torch.cosine_similarity(head(anchors), head(positives)), atol=1e-6)
    assert torch.allclose(s_minus, torch.cosine_similarity(head(anchors), head(negatives)), atol=1e-6)


def test_the_default_head_is_512_to_512_to_512() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in MlpHead().named_parameters()}

    assert shapes["layers.0.weight"] == shapes["layers.4.weight"] == (512, 512)
    assert [type(layer).__name__ for layer in MlpHead().layers] == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]


@pytest.mark.parametrize("size", [1, 2])
def test_a_single_triplet_is_enough_for_a_training_step(size: int) -> None:
    head = MlpHead(dimension=8).train()

    s_plus, _ = head.similarities(*torch.randn(3, size, 8))

    assert torch.isfinite(s_plus).all()
