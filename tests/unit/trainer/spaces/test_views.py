from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainer.data.embeddings import ImageReference
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import UnknownComponent
from trainer.spaces.views import VIEW_SETS, VIEWS, embed_views, views_of


def picture(width: int = 40, height: int = 30) -> Image.Image:
    """Red grows to the right, green downwards."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.stack([across, down, 0 * across], axis=-1).astype(np.uint8))


def corners(image: Image.Image) -> tuple[int, int, int, int]:
    """The left, top, right and bottom that a view of `picture` shows."""
    pixels = np.asarray(image)
    return int(pixels[0, 0, 0]), int(pixels[0, 0, 1]), int(pixels[-1, -1, 0]) + 1, int(pixels[-1, -1, 1]) + 1


def test_the_first_view_is_the_picture_itself() -> None:
    for views in VIEW_SETS:
        seen = views_of(picture(), views)
        assert len(seen) == len(VIEW_SETS[views])
        assert seen[0] == picture()
    assert len(views_of(picture(), "none")) == 1


def test_mirrored_twice_is_the_picture() -> None:
    _, mirrored = views_of(picture(), "mirror")

    assert np.asarray(mirrored)[0, 0, 0] == 39
    assert VIEWS["mirrored"](mirrored) == picture()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("centre-90", (2, 2, 38, 29)),
        ("centre-80", (4, 3, 36, 27)),
        ("top-left", (0, 0, 32, 24)),
        ("top-right", (8, 0, 40, 24)),
        ("bottom-left", (0, 6, 32, 30)),
        ("bottom-right", (8, 6, 40, 30)),
    ],
)
def test_crops_show_their_part(name: str, shown: tuple[int, int, int, int]) -> None:
    assert corners(VIEWS[name](picture())) == shown


@pytest.mark.parametrize(("name", "share"), [("framed-95", 0.95), ("framed-90", 0.9)])
def test_a_frame_undoes_the_crop_of_its_share(name: str, share: float) -> None:
    whole = picture(240, 160)
    cut = whole.crop((round(120 - 120 * share), round(80 - 80 * share), round(120 + 120 * share), round(80 + 80 * share)))

    framed = VIEWS[name](cut)

    assert framed.size == whole.size
    np.testing.assert_array_equal(np.asarray(framed)[20:140, 20:220], np.asarray(whole)[20:140, 20:220])


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 7)])
def test_the_smallest_pictures_have_all_views(size: tuple[int, int]) -> None:
    for view in VIEWS.values():
        assert min(view(picture(*size)).size) >= 1


def test_vectors_of_views_stand_picture_by_picture_the_plain_one_first() -> None:
    images = [picture(40 + number, 30) for number in range(70)]

    vectors = embed_views(FakeEmbedder(), images, "mirror")

    assert vectors.shape == (70, 2, FakeEmbedder.dimension)
    np.testing.assert_array_equal(vectors[:, 0], FakeEmbedder().embed_images(images))
    np.testing.assert_array_equal(vectors[:, 1], FakeEmbedder().embed_images([VIEWS["mirrored"](image) for image in images]))
    assert embed_views(FakeEmbedder(), [], "mirror+crops").shape == (0, 8, FakeEmbedder.dimension)


def test_views_that_do_not_exist_are_told_with_those_that_do() -> None:
    with pytest.raises(UnknownComponent, match=r"no views 'upside'; known: none, mirror, mirror\+crops"):
        views_of(picture(), "upside")


def test_each_view_of_each_part_has_a_key_of_its_own() -> None:
    references = [
        ImageReference(content_hash="a" * 64, box=box, view=view)
        for box in (None, (0, 0, 1, 1))
        for view in ("plain", "mirrored", "top-left")
    ]

    assert len({reference.key for reference in references}) == 6
    assert references[0].key == "a" * 64
