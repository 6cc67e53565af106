from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from db.pictures import UnreadablePicture, pixel_hash, read_picture
from producer.cleaning import WIKIART_STYLES, clean, join
from producer.readers import read_catalogue
from producer.samples import PALETTES, STYLES, SUBJECTS, paint, paint_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_styles_go_by_names_of_wikiart_and_artists_like_palettes_that_exist() -> None:
    assert {style.name for style in STYLES} <= set(WIKIART_STYLES)
    assert len(STYLES) >= 6
    assert len(SUBJECTS) >= 6
    assert all(set(artist.palettes) <= set(PALETTES) for style in STYLES for artist in style.artists)


@pytest.mark.parametrize("index", range(len(STYLES)))
def test_the_same_seed_and_index_paint_the_same_picture_and_others_do_not(index: int) -> None:
    first, again, other = paint(7, index, 96), paint(7, index, 96), paint(8, index, 96)
    assert pixel_hash(first.image) == pixel_hash(again.image)
    assert first.caption == again.caption
    assert pixel_hash(first.image) != pixel_hash(other.image)


@pytest.mark.parametrize("index", range(3 * len(STYLES)))
def test_no_painting_is_blank(index: int) -> None:
    image = paint(5, index, 96).image
    assert max(image.size) == 96
    assert max(channel.getextrema()[1] - channel.getextrema()[0] for channel in image.split()) > 40  # type: ignore[operator]


def test_a_caption_tells_style_subject_count_and_palette() -> None:
    for index in range(24):
        painting = paint(2, index, 32)
        assert painting.palette in painting.caption
        assert {1: "", 2: "two", 3: "three"}[painting.count] in painting.caption
        assert painting.artist not in painting.caption


def test_a_tree_holds_as_many_whole_works_as_asked_for_and_its_gaps_on_top(tmp_path: Path) -> None:
    painted = paint_tree(tmp_path, count=16, size=64, seed=1)
    works = [clean(draft) for draft in join(read_catalogue(tmp_path))]
    whole = []
    for work in works:
        location = work.copies[0].file.location
        assert location is not None
        try:
            read_picture(location.read_bytes())
        except UnreadablePicture:
            assert work.copies[0].file.path == painted.gaps["broken file"]
        else:
            whole += [work] * (work.incomplete is None)
    assert len(whole) == painted.artworks == 16
    assert len(works) == 18
    assert Counter(work.incomplete for work in works) == {None: 17, "no artist": 1}
    assert sum(copy.repaired for work in works for copy in work.copies) == 1
    assert sorted(len(work.copies) for work in works)[-2:] == [1, 2]
    assert all(work.listed for work in works)


def test_a_small_tree_has_no_gaps_and_its_truth_beside_it(tmp_path: Path) -> None:
    painted = paint_tree(tmp_path, count=3, size=32, seed=0)
    assert painted.gaps == {}
    truth = json.loads((tmp_path / "truth.json").read_text())
    with (tmp_path / "classes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["filename"] for row in rows] == list(truth)
    assert rows[0]["genre"] == f"['{truth[rows[0]['filename']]['style']}']"
