from __future__ import annotations

import math
from itertools import product
from random import Random

import numpy as np
import pytest

from db.images import pixel_hash
from producer.cleaning import WIKIART_STYLES
from producer.samples import PALETTES, STYLES, SUBJECTS, Role, Scene, Style, Subject, paint
from producer.samples.sketch import Sketch

NUMBERS = {1: ("a", "an", "one"), 2: ("two",), 3: ("three",)}


def laid(subject: Subject, count: int, aspect: float = 1.0) -> Scene:
    width, height = math.sqrt(aspect), 1 / math.sqrt(aspect)
    sketch = Sketch(Random(count), count=count, width=width, height=height)
    subject.lay(sketch)
    return Scene(subject=subject.name, words=subject.words(count), count=count, width=width, height=height, shapes=sketch.mirrored())


def test_there_are_as_many_styles_subjects_artists_and_palettes_as_promised() -> None:
    assert {style.name for style in STYLES} <= set(WIKIART_STYLES)
    assert len({style.name for style in STYLES}) == len(STYLES) >= 12
    assert len(SUBJECTS) >= 14
    assert len(PALETTES) >= 8
    artists = [artist for style in STYLES for artist in style.artists]
    assert len({artist.name for artist in artists}) == len(artists) >= 3 * len(STYLES)
    assert any(not artist.name.isascii() for artist in artists)
    assert all(len(style.artists) >= 3 for style in STYLES)


def test_artists_differ_in_hand_and_like_enough_palettes_for_another_version() -> None:
    for style in STYLES:
        hands = {(artist.stroke, artist.line, artist.slant, artist.loose) for artist in style.artists}
        assert len(hands) == len(style.artists)
        assert all(len(set(artist.palettes) & set(PALETTES)) == len(artist.palettes) >= 2 for artist in style.artists)


@pytest.mark.parametrize(("style", "subject"), list(product(STYLES, SUBJECTS.values())), ids=lambda value: value.name)
def test_every_style_paints_every_subject_at_any_size(style: Style, subject: Subject) -> None:
    for number, size in enumerate(((128, 96), (61, 77), (33, 32))):
        scene = laid(subject, number + 1, size[0] / size[1])
        artist = style.artists[number]
        image = style.paint(scene, PALETTES[artist.palettes[0]], size, artist, np.random.Generator(np.random.PCG64(number)))
        assert image.mode == "RGB"
        assert image.size == size
        assert max(high - low for low, high in image.getextrema()) > 40  # type: ignore[misc]


@pytest.mark.parametrize("index", range(len(STYLES)))
def test_the_same_seed_index_and_version_paint_the_same_image_and_others_do_not(index: int) -> None:
    first, again, other = paint(7, index, 96, 1), paint(7, index, 96, 1), paint(8, index, 96, 1)
    assert pixel_hash(first.image) == pixel_hash(again.image)
    assert first.sentence == again.sentence
    assert pixel_hash(first.image) != pixel_hash(other.image)


def test_a_caption_tells_subject_and_count_and_a_sentence_style_and_palette_too() -> None:
    for index in range(3 * len(STYLES)):
        painting = paint(2, index, 32)
        assert set(painting.caption.removeprefix("a painting of ").split()) & set(NUMBERS[painting.count])
        assert painting.caption.startswith("a painting of ")
        assert painting.caption.removeprefix("a ") in painting.sentence
        assert painting.sentence.endswith(f" in {painting.palette} colours")
        assert painting.palette not in painting.caption
        assert painting.artist.split()[0] not in painting.caption + painting.title


def test_versions_share_the_scene_and_differ_from_the_first_in_style_and_palette() -> None:
    for index in range(20):
        first, *others = (paint(4, index, 48, version) for version in range(5))
        for other in others:
            shared = ("subject", "count", "caption", "title", "year", "scene")
            assert [getattr(other, fact) for fact in shared] == [getattr(first, fact) for fact in shared]
            assert other.image.size == first.image.size
            assert other.style != first.style
            assert other.palette != first.palette
            assert other.artist != first.artist
        assert len({other.style for other in others}) == 4


def test_a_painting_is_the_same_at_another_size_only_finer() -> None:
    for index in range(len(STYLES)):
        small, large = paint(3, index, 128).image, paint(3, index, 256).image
        large = large.resize(small.size)
        assert np.abs(np.asarray(small, np.float32) - np.asarray(large, np.float32)).mean() < 14


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_palettes_are_told_apart_by_mean_colour_in_every_style(style: Style) -> None:
    names = list(PALETTES)
    scenes = [laid(SUBJECTS[name], 2, 1.25) for name in ("boats", "cats", "apples")]
    artist = style.artists[0]

    def mean(scene: Scene, palette: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        image = style.paint(scene, PALETTES[palette], (50, 40), artist, np.random.Generator(np.random.PCG64(1)))
        colour: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = np.asarray(image, np.float64).mean((0, 1))
        return colour

    means = np.array([[mean(scene, name) for name in names] for scene in scenes])
    centres = means.mean(0)
    nearest = np.linalg.norm(means[:, :, None] - centres[None, None], axis=-1).argmin(-1)
    assert (nearest == np.arange(len(names))).mean() >= 0.9


def test_a_painted_thing_stands_out_from_whatever_may_lie_behind_it() -> None:
    for palette in PALETTES.values():
        main = np.array(palette.main, np.float64)
        for behind in (palette.sky, palette.glow, palette.far, palette.ground):
            assert np.linalg.norm(main - np.array(behind)) > 80, palette.name


def test_there_are_things_in_every_scene_and_more_of_them_when_more_are_counted() -> None:
    for subject in SUBJECTS.values():
        numbers = [sum(shape.role is Role.THING for shape in laid(subject, count).shapes) for count in (1, 2, 3)]
        assert numbers[0] > 0
        if subject.name != "bridge":  # a bridge is one thing however many arches it has
            assert numbers[0] < numbers[1] < numbers[2]
