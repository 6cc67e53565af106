from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from db.images import UnreadableImage, decode_image
from producer.cleaning import clean_artwork, join_catalogue
from producer.commands.samples import samples
from producer.readers import read_catalogue
from producer.samples import paint, paint_tree
from producer.samples.tree import FACTS, _path

if TYPE_CHECKING:
    from pathlib import Path


def truth_and_rows(folder: Path) -> tuple[dict[str, dict[str, Any]], list[dict[str, str]]]:
    with (folder / "classes.csv").open() as file:
        return json.loads((folder / "truth.json").read_text()), list(csv.DictReader(file))


def test_a_sample_tree_has_as_many_complete_artworks_as_asked_for_and_its_gaps_besides(tmp_path: Path) -> None:
    tree = paint_tree(tmp_path, count=16, size=64, seed=1)
    artworks = [clean_artwork(joined) for joined in join_catalogue(read_catalogue(tmp_path))]
    complete = []
    for artwork in artworks:
        location = artwork.copies[0].file.location
        assert location is not None
        try:
            decode_image(location.read_bytes())
        except UnreadableImage:
            assert artwork.copies[0].file.path == tree.gaps["broken file"]
        else:
            complete += [artwork] * (artwork.incomplete is None)
    assert len(complete) == tree.artworks == 16
    assert len(artworks) == 18
    assert Counter(artwork.incomplete for artwork in artworks) == {None: 17, "no artist": 1}
    assert sum(copy.repaired for artwork in artworks for copy in artwork.copies) == 1
    assert sorted(len(artwork.copies) for artwork in artworks)[-2:] == [1, 2]
    assert all(artwork.listed for artwork in artworks)


def test_a_small_sample_tree_has_no_gaps_and_its_truth_beside_it(tmp_path: Path) -> None:
    tree = paint_tree(tmp_path, count=3, size=32, seed=0)
    assert tree.gaps == {}
    truth, rows = truth_and_rows(tmp_path)
    assert [row["filename"] for row in rows] == list(truth)
    assert rows[0]["genre"] == f"['{truth[rows[0]['filename']]['style']}']"
    assert all(set(facts) == {"filename", *FACTS} for facts in truth.values())


def test_each_scene_is_painted_as_often_as_asked_for_and_without_gaps(tmp_path: Path) -> None:
    result = CliRunner().invoke(samples, [str(tmp_path), "--count", "13", "--size", "32", "--versions", "3"])
    assert result.exit_code == 0, result.output
    truth, rows = truth_and_rows(tmp_path)
    assert len(truth) == len(rows) == len(list(tmp_path.glob("*/*.jpg"))) == 39
    assert [(facts["scene"], facts["version"]) for facts in truth.values()] == [
        (scene, version) for scene in range(13) for version in range(3)
    ]
    for facts in truth.values():
        assert facts["caption"] == paint(0, facts["scene"], 32).caption


def test_equal_titles_are_numbered() -> None:
    painting, names = paint(0, 0, 32), Counter[str]()
    paths = [_path(painting, names) for _ in range(2000)]
    assert len(set(paths)) == 2000
    assert paths[0].endswith(f"-{painting.year}.jpg")
    assert paths[1].endswith(f"-no-2-{painting.year}.jpg")
