"""What is found for a picture, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps

from db.store import Store
from tests.unit.trainer.search.conftest import ThumbnailEncoder, painted, png
from trainer.calibration.calibration import SearchCalibration
from trainer.calibration.curve import CalibrationCurve, CalibrationMethod
from trainer.errors import BadImageFile, NothingToSearch
from trainer.search.gallery import PictureKind, SearchGallery
from trainer.search.origin_finder import OriginFinder
from trainer.search.picture_gallery import picture_gallery
from trainer.search.query_files import QueryImage, query_files, read_query
from trainer.search.sheet import MOST_QUERIES, draw_similar
from trainer.search.views import QueryViews

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Galleries = Callable[..., SearchGallery]


@pytest.fixture
def calibration() -> SearchCalibration:
    """Half similarity and half margin: from 0.01 at 0.3 to 0.98 at 0.8."""
    curve = CalibrationCurve(
        method=CalibrationMethod.PLATT,
        scores=(0.3, 0.8),
        probabilities=(0.01, 0.98),
        low=(0.0, 0.9),
        high=(0.1, 1.0),
        positives=9,
        negatives=9,
        artists=9,
    )
    return SearchCalibration(similarity_weight=0.5, margin_weight=0.5, curve=curve, gallery=10)


def query(image: Image.Image, name: str = "query", content_hash: str | None = None) -> QueryImage:
    return QueryImage(name=name, image=image, content_hash=content_hash)


def test_a_picture_finds_itself_first_and_the_others_by_similarity(encoder: ThumbnailEncoder, gallery: Galleries) -> None:
    originals = gallery(range(12))

    (found,) = OriginFinder(encoder, [originals]).find([query(painted(7))], k=5)

    cosines = encoder.embed([painted(seed) for seed in range(12)]) @ encoder.embed([painted(7)])[0]
    expected = np.argsort(-cosines)[:5]
    assert [one.key for one in found.pictures] == [f"work-{number}" for number in expected]
    assert [one.rank for one in found.pictures] == [1, 2, 3, 4, 5]
    assert [one.similarity for one in found.pictures] == pytest.approx(cosines[expected].tolist(), abs=1e-6)
    assert (found.nearest, found.probability, found.words) == ("work-7", None, None)


def test_a_mirrored_picture_is_found_by_its_mirrored_view_alone(encoder: ThumbnailEncoder, gallery: Galleries) -> None:
    finder = OriginFinder(encoder, [gallery(range(40))])
    mirrored = query(ImageOps.mirror(painted(3)))

    (plain,), (seen,) = finder.find([mirrored]), finder.find([mirrored], views=QueryViews.MIRROR)

    assert plain.pictures[0].similarity < 0.9
    assert (seen.pictures[0].key, seen.pictures[0].view) == ("work-3", "mirrored")
    assert seen.pictures[0].similarity == pytest.approx(1, abs=1e-5)


def test_a_picture_with_a_margin_around_it_is_nearer_by_a_cropped_view(encoder: ThumbnailEncoder, gallery: Galleries) -> None:
    finder = OriginFinder(encoder, [gallery(range(5))])
    framed = Image.new("RGB", (67, 53))
    framed.paste(painted(2), (0, 5))  # its own 60 x 48 stand in the lower left corner

    (plain,), (seen,) = finder.find([query(framed)], k=1), finder.find([query(framed)], k=1, views=QueryViews.MIRROR_AND_CROPS)

    assert seen.pictures[0].key == "work-2"
    assert seen.pictures[0].view in QueryViews.MIRROR_AND_CROPS.names[2:]
    assert seen.pictures[0].similarity > plain.pictures[0].similarity


def test_the_answer_names_the_origin_or_says_that_it_is_none_of_these(
    encoder: ThumbnailEncoder, gallery: Galleries, calibration: SearchCalibration
) -> None:
    finder = OriginFinder(encoder, [gallery(range(30))], calibration)

    there, gone = finder.find([query(painted(4)), query(painted(99))], k=3)

    assert there.words in {"very probably made from work-4", "probably made from work-4"}
    assert there.probability == there.pictures[0].probability
    assert there.probability is not None
    assert there.interval is not None
    assert there.interval[0] <= there.probability <= there.interval[1]
    assert gone.words is not None
    assert gone.words.endswith("none of these")
    assert gone.none_of_these is not None
    assert gone.none_of_these > 0.75


def test_copies_of_one_work_do_not_make_it_less_probable(
    encoder: ThumbnailEncoder, gallery: Galleries, calibration: SearchCalibration
) -> None:
    twice, once = gallery([4, 4, 5, 6]), gallery([4, 5, 6])

    (found,), (expected,) = (OriginFinder(encoder, [one], calibration).find([query(painted(4))]) for one in (twice, once))

    assert found.probability == pytest.approx(expected.probability)
    assert [one.probability for one in found.pictures[:2]] == pytest.approx([found.probability] * 2)
    assert found.none_of_these == pytest.approx(expected.none_of_these)


def test_repaints_have_no_probability_and_leave_that_of_the_originals_alone(
    encoder: ThumbnailEncoder, gallery: Galleries, calibration: SearchCalibration
) -> None:
    originals, repaints = gallery(range(8)), gallery(range(8), PictureKind.REPAINT)

    (both,) = OriginFinder(encoder, [originals, repaints], calibration).find([query(painted(1))], k=4)
    (alone,) = OriginFinder(encoder, [originals], calibration).find([query(painted(1))], k=4)

    assert [(one.kind, one.level) for one in both.pictures[:2]] == [("original", None), ("repaint", "radical")]
    assert both.pictures[1].probability is None
    assert (both.probability, both.none_of_these) == (alone.probability, alone.none_of_these)
    (only,) = OriginFinder(encoder, [repaints], calibration).find([query(painted(1))])
    assert (only.probability, only.nearest, only.words) == (None, None, None)


def test_the_very_same_file_is_marked(encoder: ThumbnailEncoder, gallery: Galleries, tmp_path: Path) -> None:
    (tmp_path / "copy.png").write_bytes(png(painted(3)))
    (tmp_path / "other.bmp").write_bytes(b"")
    painted(3).save(tmp_path / "other.bmp")

    finder = OriginFinder(encoder, [gallery(range(5))])
    same, other = finder.find([read_query(tmp_path / "copy.png"), read_query(tmp_path / "other.bmp")], k=2)

    assert [one.same_file for one in same.pictures] == [True, False]
    assert same.words == "the very file of work-3 (original)"
    assert not any(one.same_file for one in other.pictures)


def test_probabilities_of_a_much_larger_gallery_come_with_a_note(
    encoder: ThumbnailEncoder, gallery: Galleries, calibration: SearchCalibration
) -> None:
    assert OriginFinder(encoder, [gallery(range(39))], calibration).note is None
    note = OriginFinder(encoder, [gallery(range(40))], calibration).note
    assert note is not None
    assert "among 10 originals and promise too much among 40" in note


def test_fewer_than_one_picture_can_not_be_looked_for(encoder: ThumbnailEncoder, gallery: Galleries) -> None:
    with pytest.raises(ValueError, match="k is 0"):
        OriginFinder(encoder, [gallery([1])]).find([query(painted(1))], k=0)


def test_pictures_of_no_campaign_make_a_gallery(encoder: ThumbnailEncoder, tmp_path: Path) -> None:
    painted(1).save(tmp_path / "one.png")

    made = picture_gallery(encoder, [tmp_path / "one.png", painted(2)])
    (found,) = OriginFinder(encoder, [made]).find([query(painted(2))])

    assert [one.key for one in found.pictures] == ["image 2", str(tmp_path / "one.png")]


def test_a_folder_gives_its_image_files_in_order(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "note.txt", ".hidden.png", "deeper/c.webp", ".cache/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    found = query_files([tmp_path / "a.png", tmp_path])

    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.png", "b.JPG", "deeper/c.webp"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToSearch, match="empty holds no image file"):
        query_files([tmp_path / "empty"])
    with pytest.raises(BadImageFile, match=r"a\.png is not an image"):
        read_query(tmp_path / "a.png")
    with pytest.raises(BadImageFile, match=r"gone\.png cannot be read"):
        read_query(tmp_path / "gone.png")


def test_the_sheet_has_a_row_a_query_and_a_column_a_picture(
    encoder: ThumbnailEncoder, gallery: Galleries, calibration: SearchCalibration, tmp_path: Path
) -> None:
    store = Store.create(str(tmp_path / "store"))
    for seed in range(3):
        store.put(png(painted(seed)))  # the fourth cannot be read
    searches = OriginFinder(encoder, [gallery(range(4))], calibration).find([query(painted(1)), query(painted(2))], k=4)
    images = [painted(1), painted(2)]

    draw_similar(list(zip(searches, images, strict=True)), store, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as opened:
        one = opened.copy()
    draw_similar(list(zip(searches, images, strict=True)) * MOST_QUERIES, store, tmp_path / "long.png")
    with Image.open(tmp_path / "long.png") as opened:
        long = opened.copy()

    row = (one.height - 40) // 2
    assert long.height == 40 + row * MOST_QUERIES
    # The query and the nearest picture of the first row are the same painting.
    left, beside = one.crop((40, 88, 280, 276)), one.crop((304, 88, 544, 276))
    assert np.array_equal(np.asarray(left), np.asarray(beside))
    assert len(np.unique(np.asarray(left).reshape(-1, 3), axis=0)) > 20
