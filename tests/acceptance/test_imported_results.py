"""A published data set, from its CSV files to a trained model, without one generated image."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

from db.models_directory import MODELS_FILE, pocket_directory

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

WORKS = 500
STYLES = ("Baroque", "Cubism", "Impressionism", "Ukiyo_e")

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.slow(reason="embeds a thousand pictures"),
    pytest.mark.skipif(not (pocket_directory() / MODELS_FILE).is_file(), reason="the pocket models are not part of this installation"),
]


def painted(number: int, *, dark: bool) -> Image.Image:
    """One of so many works, or its repaint; each style has forms of its own."""
    wide = number % 3
    size = ((120, 80), (80, 120), (100, 90))[wide]
    base = (90 + number * 37 % 130, 100 + number * 53 % 120, 110 + number * 71 % 110)
    image = Image.linear_gradient("L").resize(size).point(lambda value: 80 + value // 3).convert("RGB")
    draw = ImageDraw.Draw(image)
    for step in range(5):
        left, top = (number * 17 + step * 23) % size[0], (number * 29 + step * 19) % size[1]
        box = (left - 14, top - 14, left + 14, top + 14)
        colour = tuple((part * (2 if dark else 1) + step * 40) % 256 for part in base)
        (draw.ellipse, draw.rectangle, draw.rounded_rectangle, draw.line)[number % len(STYLES)](box, fill=colour)
    return image


def on_black(image: Image.Image, size: int) -> Image.Image:
    scale = min(size / image.width, size / image.height)
    content = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (size, size))
    canvas.paste(content, ((size - content.width) // 2, (size - content.height) // 2))
    return canvas


def publish(folder: Path) -> None:
    """The catalogue, the results and the pictures, as such a data set is published."""
    with (
        (folder / "catalogue.csv").open("w", newline="") as catalogue_file,
        (folder / "results.csv").open("w", newline="") as results_file,
    ):
        catalogue, results = csv.writer(catalogue_file), csv.writer(results_file)
        catalogue.writerow(["file_name", "genre", "artist", "painting_name", "phash", "description", "subset"])
        results.writerow(["original_image", "prompt_complete", "prompt_compressed", "generated_image"])
        for number in range(WORKS):
            style, name = STYLES[number % len(STYLES)], f"painter-{number % 50}_work-number-{number}"
            subset = "test" if number % 5 == 0 else "train"
            facts = [
                f"['{style.replace('_', ' ')}']",
                f"painter {number % 50}",
                f"work number {number}",
                f"{number:016x}",
                "a work",
                subset,
            ]
            catalogue.writerow([f"{style}/{name}.jpg", *facts])
            (folder / "originals" / style).mkdir(parents=True, exist_ok=True)
            painted(number, dark=False).save(folder / "originals" / style / f"{name}.jpg", quality=90)
            (folder / "SDXL").mkdir(exist_ok=True)
            on_black(painted(number, dark=True), 96).save(folder / "SDXL" / f"{name}_generated.jpg", quality=90)
            draft = f"Transform work number {number} into a city, with all of its lights"
            results.writerow([f"resize768/{name}_resize768.jpg", draft, f"a city, light {number}", f"SDXL/{name}_generated.jpg"])


def test_a_published_data_set_is_trained_on_without_generating_anything(installation: Installation, tmp_path: Path) -> None:
    # Given five hundred works as they were published: catalogue, prompts, and repaints on black bars
    folder = tmp_path / "published"
    folder.mkdir()
    publish(folder)

    # When the catalogue is registered and the results are imported
    ingested = installation.json_of("ingest", folder / "catalogue.csv", "--images", folder / "originals")
    assert ingested["artworks"] == WORKS
    report = installation.json_of("import-results", folder / "results.csv", "--repaints", folder, "--source", "the published set")

    # Then every row is a finished repaint without its bars
    assert report["outcomes"]["added"] == report["rows"] == WORKS
    assert report["unexplained"] == 0
    assert report["canvases"] == {"letterbox": WORKS}
    assert {(one.width, one.height) for one in installation.repaints("imported")} == {(96, 64), (64, 96), (96, 86)}
    status = installation.json_of("status")
    assert status["jobs"]["generate"] == {"done": WORKS}
    assert status["stuck"] == {}

    # And a worker finds nothing to do, everything is in order, and a model is trained on it
    with installation.working("--until-idle") as fleet:
        assert fleet.wait() == 0, fleet.output
    installation.output_of("verify", "--json")
    clip = ("--clip", pocket_directory() / "clip")
    # The works are drawn by arithmetic that repeats itself: some of different sides look the same.
    trained = installation.json_of("train", "--campaign", "imported", "--split", "80/20", "--epochs", 3, "--allow-leaks", *clip)
    (run,) = trained["runs"]
    assert trained["unreadable"] == {}
    triplets = run["triplet_set"]["triplets"]
    assert triplets["train"] > triplets["test"] > 0
    assert installation.json_of("status")["jobs"] == status["jobs"]
    assert installation.json_of("import-results", folder / "results.csv", "--repaints", folder)["outcomes"]["unchanged"] == WORKS
