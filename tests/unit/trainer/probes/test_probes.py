from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainer.probes.aspect import AspectSimilarities
from trainer.probes.captions import CaptionSimilarities, has_words
from trainer.probes.colours import ColourHistogram
from trainer.probes.detector import GeneratedDetector, training_sample


def test_equal_shapes_are_most_alike_and_portrait_is_as_far_from_square_as_landscape() -> None:
    aspect = AspectSimilarities(np.array([1.0, 2.0, 0.5]), np.array([1.0, 2.0]))

    block = aspect.originals_to_originals(np.array([0]))

    assert block[0] == pytest.approx([0, -np.log(2), -np.log(2)])
    assert aspect.repaints_to_originals(np.array([1]))[0] == pytest.approx([-np.log(2), 0, -np.log(4)])
    assert aspect.originals_to_repaints(np.array([1]))[0] == pytest.approx([-np.log(2), 0])
    assert aspect.repaints_to_repaints(np.array([0, 1])).shape == (2, 2)


def test_colours_do_not_know_where_they_are() -> None:
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    pixels[:10] = (255, 0, 0)
    picture, turned = Image.fromarray(pixels), Image.fromarray(pixels.transpose(1, 0, 2)[::-1].copy())

    one, other, blue = ColourHistogram().embed_images([picture, turned, Image.new("RGB", (20, 20), (0, 0, 255))])

    assert one == pytest.approx(other)
    assert one @ one == pytest.approx(1)
    assert one @ blue == 0
    assert sorted(one[one > 0] ** 2) == pytest.approx([0.5, 0.5])


def test_colours_of_no_picture_are_no_rows() -> None:
    assert ColourHistogram().embed_images([]).shape == (0, 512)


def test_captions_are_compared_as_bags_of_words() -> None:
    captions = CaptionSimilarities(["a red boat", "Boat, a RED one", ""], ["red boat a", "two dogs"])

    assert captions.originals_to_repaints(np.array([0, 2])) == pytest.approx(np.array([[1, 0], [0, 0]]))
    assert captions.originals_to_originals(np.array([0]))[0] == pytest.approx([1, 3 / np.sqrt(12), 0])
    assert captions.repaints_to_originals(np.array([0]))[0, 0] == pytest.approx(1)
    assert captions.repaints_to_repaints(np.array([0]))[0] == pytest.approx([1, 0])


@pytest.mark.parametrize(("texts", "words"), [(["", "?!"], False), (["", "x"], True), ([], False)])
def test_a_caption_without_a_word_is_none(texts: list[str], words: bool) -> None:
    assert has_words(texts) is words


def test_the_detector_finds_a_shared_direction_and_only_that() -> None:
    random = np.random.default_rng(0)

    def told(shift: float) -> float:
        train, test = random.normal(size=(2, 300, 6)).astype(np.float32), random.normal(size=(2, 300, 6)).astype(np.float32)
        train[1, :, 2] += shift
        test[1, :, 2] += shift
        return float(GeneratedDetector(train[0], train[1]).told_right(test[0], test[1], np.arange(300)).mean())

    assert told(8.0) > 0.99
    assert told(0.0) == pytest.approx(0.5, abs=0.06)


def test_the_detector_judges_each_repaint_with_its_own_original() -> None:
    train = np.array([[[-1.0]], [[1.0]]], dtype=np.float32).repeat(30, axis=1)
    originals, repaints = np.array([[-1.0], [1.0]], dtype=np.float32), np.array([[1.0], [1.0], [-1.0]], dtype=np.float32)

    told = GeneratedDetector(*train).told_right(originals, repaints, np.array([0, 1, 1]))

    assert told.tolist() == [1.0, 0.5, 0.0]


def test_a_training_sample_is_drawn_by_its_seed() -> None:
    rows = np.arange(100) * 3

    drawn = training_sample(rows, most=10)

    assert training_sample(rows, most=100).tolist() == rows.tolist()
    assert len(set(drawn.tolist())) == 10
    assert set(drawn.tolist()) <= set(rows.tolist())
    assert drawn.tolist() == sorted(training_sample(rows, most=10).tolist())
    assert drawn.tolist() != training_sample(rows, most=10, seed=1).tolist()
