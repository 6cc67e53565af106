"""From originals to a trained model with nothing configured and real model classes: the demo runs once, these tests check its results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageStat

from db.images import decode_image, read_metadata
from db.models_directory import pocket_directory
from db.results.pairs import originals, read_image_bytes
from db.tables import attempts, images, prompts, variations
from tests.acceptance.queries import assert_complete, rows
from trainer.pocket.colours import PaletteScale
from trainer.pocket.measures_table import accuracy
from trainer.pocket.paintings import load_paintings
from trainer.pocket.recognition import Recognition
from trainer.pocket.sample_repaints import prompted_style_and_palette

if TYPE_CHECKING:
    from tests.acceptance.installation import FinishedDemo

pytestmark = pytest.mark.timeout(600)

#: How the models that ship ask to be run.
ADVICE = json.loads((pocket_directory() / "models.json").read_text())


#: Sample artworks of the demo; each is repainted at both levels.
ARTWORKS = 24


def test_the_demo_ends_with_a_report(finished_demo: FinishedDemo) -> None:
    assert finished_demo.exit_code == 0, finished_demo.printed
    page = (finished_demo.folder / "report/index.html").read_text()
    with Image.open(finished_demo.folder / "report/sheet.png") as sheet:
        assert min(sheet.size) > 200
    assert "random" not in finished_demo.printed + page, "the models that ship are trained"
    assert len(page) > 5_000
    assert "80/20" in page
    assert "40/60" in page


def test_status_and_failures_of_the_finished_demo_have_the_keys_that_scripts_use(finished_demo: FinishedDemo) -> None:
    status = finished_demo.installation.json_of("status")
    stages = {"caption": ARTWORKS, "prompt": 2 * ARTWORKS, "generate": 2 * ARTWORKS, "recaption": 2 * ARTWORKS}
    assert status["jobs"] == {stage: {"done": count} for stage, count in stages.items()}
    assert status["campaigns"]["demo"]["jobs"] == status["jobs"]
    assert status["images"] == 2 * ARTWORKS
    assert status["workers"] == [], "a worker that ended is not listed"
    assert finished_demo.installation.json_of("failures") == []
    assert_complete(finished_demo.installation, repaints=2 * ARTWORKS)
    assert len({row["worker_id"] for row in rows(finished_demo.installation, attempts)}) == 2, "one of the two workers did nothing"


def test_captions_of_the_demo_name_what_its_samples_show(finished_demo: FinishedDemo) -> None:
    # Given what the painter knows of its samples
    installation = finished_demo.installation
    truths = sample_truths(finished_demo)
    subjects = {truth["caption"]: truth["subject"] for truth in truths.values()}
    captions = {repaint.artwork_id: repaint.caption for repaint in installation.repaints()}
    pairs = [
        (captions[one.artwork_id], truths[titled(one.key)])
        for one in originals(installation.runtime.database)
        if one.artwork_id in captions
    ]
    assert len(pairs) == ARTWORKS

    # Then the captioner's words agree with it as often as its card says
    assert sum(subjects.get(caption) == truth["subject"] for caption, truth in pairs) >= 0.92 * ARTWORKS
    assert sum(caption == truth["caption"] for caption, truth in pairs) >= 0.78 * ARTWORKS


def sample_truths(finished_demo: FinishedDemo) -> dict[str, Any]:
    """What the painter knows, by the title in a file's name: one artist's name is garbled in its file's name."""
    written = json.loads((finished_demo.folder / "samples/truth.json").read_text())
    return {titled(Path(file).stem): truth for file, truth in written.items()}


def titled(key: str) -> str:
    return key.split("_", 1)[1]


def test_radical_repaints_take_on_the_style_and_the_palette_of_their_prompts(finished_demo: FinishedDemo, tmp_path: Path) -> None:
    installation = finished_demo.installation
    radical = [repaint for repaint in installation.repaints() if repaint.level == "radical"]
    images = [decode_image(installation.runtime.store.get(repaint.content_hash)).image for repaint in radical]
    styles, palettes = zip(*(prompted_style_and_palette(repaint.prompt) for repaint in radical), strict=True)
    assert all(styles)
    assert all(palettes)

    paintings = load_paintings(tmp_path, count=100, seed=77)
    named = Recognition(pack=pocket_directory(), paintings=paintings).named_styles(images)
    assert accuracy(named, styles) >= 0.6

    scale, truths = PaletteScale(paintings), sample_truths(finished_demo)
    by_artwork = {original.artwork_id: original for original in originals(installation.runtime.database)}
    nearer = []
    for repaint, image, palette in zip(radical, images, palettes, strict=True):
        original = by_artwork[repaint.artwork_id]
        if truths[titled(original.key)]["palette"] != palette:
            before = decode_image(read_image_bytes(installation.runtime.store, original.content_hash, original.link)).image
            nearer.append(scale.distance(image, palette) < scale.distance(before, palette))
    assert accuracy(nearer, [True] * len(nearer)) >= 0.85, "grey alone, which lies amid all palettes, gets to 0.6"


def test_a_second_enqueue_and_work_after_the_demo_do_nothing(finished_demo: FinishedDemo) -> None:
    installation = finished_demo.installation
    before = len(rows(installation, attempts))
    assert installation.json_of("enqueue")["jobs"] == 0
    with installation.working("--until-idle") as fleet:
        assert fleet.wait() == 0
        assert "loaded" not in fleet.output
    assert len(rows(installation, attempts)) == before


def test_a_repaints_file_holds_the_provenance_that_the_database_holds(finished_demo: FinishedDemo) -> None:
    installation = finished_demo.installation
    planned = {row["id"]: row for row in rows(installation, variations)}
    for repaint in installation.repaints():
        data = installation.runtime.store.get(repaint.content_hash)
        facts = read_metadata(data)
        assert facts == repaint.provenance
        assert facts["prompt"] == repaint.prompt
        assert facts["seed"] == repaint.seed == planned[repaint.variation_id]["seed"]
        assert facts["level"] == repaint.level
        assert facts["model"] == "local:refiner"
        assert facts["revision"].startswith("sha256:")
        advice = ADVICE["levels"][repaint.level]
        assert (facts["strength"], facts["steps"], facts["guidance"]) == (advice["strength"], advice["steps"], advice["guidance"])
        assert facts["canvas"] == ADVICE["image"]["size"]
        # Who, when and how long would make two runs of one plan write different files.
        assert not {"worker", "worker_id", "seconds", "created_at", "host"} & facts.keys()
        assert repaint.caption
        assert repaint.recaption


def test_a_repaint_has_its_originals_shape_and_no_bars(finished_demo: FinishedDemo) -> None:
    installation = finished_demo.installation
    by_artwork = {original.artwork_id: original for original in originals(installation.runtime.database)}
    shapes = set()
    for row in rows(installation, images, images.c.current):
        artwork = by_artwork[row["artwork_id"]]
        original = decode_image(read_image_bytes(installation.runtime.store, artwork.content_hash, artwork.link)).image
        repaint = decode_image(installation.runtime.store.get(row["content_hash"])).image
        left, top, right, bottom = row["content_box"]
        assert repaint.size == (row["width"], row["height"]) == (right - left, bottom - top)
        scale = 128 / max(original.size)
        assert max(repaint.size) == 128
        assert abs(repaint.width - original.width * scale) <= 1
        assert abs(repaint.height - original.height * scale) <= 1
        for edge in _edges(repaint):
            assert sum(ImageStat.Stat(edge).mean) / 3 > 10, f"a black edge: {row['content_hash']}"
        shapes.add(repaint.width > repaint.height)
    assert shapes == {True, False}, "the samples were meant to have wide and tall ones"


def _edges(image: Image.Image) -> list[Image.Image]:
    width, height = image.size
    boxes = [(0, 0, width, 2), (0, height - 2, width, height), (0, 0, 2, height), (width - 2, 0, width, height)]
    return [image.crop(box) for box in boxes]


def test_no_prompt_is_longer_than_the_generator_reads_and_drafts_are_kept(finished_demo: FinishedDemo) -> None:
    found = rows(finished_demo.installation, prompts, prompts.c.current)
    assert len(found) == 2 * ARTWORKS
    assert all(0 < row["tokens"] <= 75 for row in found)
    assert all(row["draft_tokens"] >= row["tokens"] for row in found)
    named = {original.artist: original for original in originals(finished_demo.installation.runtime.database) if original.artist}
    assert not [row["text"] for row in found if any(artist.lower() in row["text"].lower() for artist in named)]
    assert len({row["brief"] for row in found}) > 5, "prompts must not collapse into one look"


def test_the_demos_model_is_evaluated_and_compares_two_images(finished_demo: FinishedDemo) -> None:
    installation = finished_demo.installation
    model = installation.directory / "training/demo/80-20"
    evaluated = installation.json_of("evaluate", model)
    scores = {(score["scorer"], score["level"]): score for score in evaluated["scores"]}
    assert {"trained", "clip"} <= {scorer for scorer, _ in scores}, "frozen CLIP stands beside the trained model"
    assert 0 <= scores["trained", "all"]["accuracy"] <= 1

    printed = finished_demo.printed.split("$ paragone compare")[1].split("$ paragone report")[0]
    assert re.search(r"0\.\d+\s+\(trained head\)\n\s+0\.\d+\s+\(frozen CLIP\)", printed)
    assert printed.count(": a painting of ") == 2, "captions of both"


def test_the_report_command_names_the_files_it_wrote(finished_demo: FinishedDemo, tmp_path: Path) -> None:
    written = json.loads(finished_demo.installation.output_of("report", "--campaign", "demo", "--out", tmp_path / "report", "--json"))
    assert Path(written["page"]).parent == tmp_path / "report"
    assert Path(written["page"]).read_text().count("<img") > 5
    assert Path(written["sheet"]).is_file()
