from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workers.backends import ModelSource
from workers.backends.clip import ClipEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image


@pytest.fixture(scope="module")
def embedder(tiny: Path) -> ClipEmbedder:
    clip = ClipEmbedder(model=ModelSource(location=str(tiny / "clip")), device="cpu")
    clip.load()
    return clip


def test_images_become_vectors_that_are_not_normalised(embedder: ClipEmbedder, scenes: list[Image]) -> None:
    vectors = embedder.embed_images(scenes)

    assert vectors.dtype == np.dtype("float32")
    assert (*vectors.shape, embedder.dimension) == (4, 512, 512)
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.ptp(lengths) > 0
    assert embedder.revision.startswith("sha256:")


def test_a_vector_does_not_depend_on_its_batch(embedder: ClipEmbedder, scenes: list[Image]) -> None:
    together = embedder.embed_images(scenes)
    alone = np.concatenate([embedder.embed_images([image]) for image in scenes])

    assert np.allclose(together, alone, atol=1e-5)
    assert not np.allclose(together[0], together[1], atol=1e-3)


def test_of_a_long_image_the_centre_is_seen(embedder: ClipEmbedder, scenes: list[Image]) -> None:
    long = scenes[0].resize((192, 64))

    assert np.allclose(embedder.embed_images([long]), embedder.embed_images([long.crop((64, 0, 128, 64))]), atol=1e-4)


def test_texts_share_the_space_and_long_ones_are_cut(embedder: ClipEmbedder) -> None:
    texts = embedder.embed_texts(["a dog in the snow", "a cathedral", "word " * 300])

    assert texts.shape == (3, 512)
    assert np.isfinite(texts).all()
    assert not np.allclose(texts[0], texts[1], atol=1e-3)


def test_no_images_and_no_texts_give_no_vectors(embedder: ClipEmbedder) -> None:
    assert embedder.embed_images([]).shape == (0, 512)
    assert embedder.embed_texts([]).shape == (0, 512)


def test_the_tokens_of_a_text_are_counted_whole_though_only_the_first_are_read(embedder: ClipEmbedder) -> None:
    words = ["red"] * 500
    short, long, longer = embedder.count_tokens(["red", " ".join(words), " ".join([*words, "blue"])])

    assert short < embedder.text_limit < long < longer
    assert embedder.count_tokens([]) == []
    cut, cut_too = embedder.embed_texts([" ".join(words), " ".join([*words, "blue"])])
    np.testing.assert_array_equal(cut, cut_too)
