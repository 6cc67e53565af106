from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from trainer.evaluate.evaluation import evaluate_head
from trainer.fit.curves import plot_splits
from trainer.fit.history import Epoch, History
from trainer.heads.mlp import MlpHead
from trainer.report import ExampleArtwork, ExamplePair, ExampleRepaint, ReportContent, ReportRun, write_report
from trainer.report.content import LevelSummary, ModelSummary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainer.data.triplet_indices import TripletIndices


def history_of(epochs: int, *, validation: bool = True) -> History:
    history = History()
    for number in range(1, epochs + 1):
        loss = 1 / number if validation else None
        epoch = Epoch(
            number=number, train_loss=1 / number, train_accuracy=0.9, validation_loss=loss, validation_accuracy=loss, temperature=0.1
        )
        history = history.with_epoch(epoch, patience=9)
    return history


def content(**changes: object) -> ReportContent:
    image = Image.new("RGB", (64, 40), "#3a6")
    repaint = ExampleRepaint(level="radical", image=image, prompt="a <b>bold</b> prompt", brief="material", recaption="a green one")
    example = ExampleArtwork(
        image=image, title="Café & Sea", artist="Painter", style="Cubism", caption="a plain field", repaints=(repaint,)
    )
    plain = {
        "campaign": "studies",
        "seed": 4,
        "size": 64,
        "artworks": 12,
        "repaints": 24,
        "models": (ModelSummary(role="captions", model="blip2", revision="abc"),),
        "levels": (
            LevelSummary(name="moderate", strength=0.3, guidance=7.5, steps=25),
            LevelSummary(name="radical", strength=0.45, guidance=7.5, steps=25),
        ),
        "counts": {"caption": {"done": 11, "failed": 1}},
        "examples": (example,),
        "pairs": (ExamplePair(title="two", one=image, other=image, captions=("a", None), cosine=0.8123, clip_cosine=0.7456),),
    }
    return ReportContent(**{**plain, **changes})  # type: ignore[arg-type]


def runs(indices: Callable[..., TripletIndices]) -> tuple[ReportRun, ...]:
    vectors = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    evaluation = evaluate_head(MlpHead(dimension=8), vectors, indices(20))
    return tuple(
        ReportRun(split=split, history=history_of(5), evaluation=evaluation, triplets={"train": 70, "test": 20}, directory="/x")
        for split in ("80/20", "40/60")
    )


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


class Page(HTMLParser):
    """Collects text, and everything that a page would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_shows_images_captions_prompts_figures_and_needs_no_other_file(
    indices: Callable[..., TripletIndices], tmp_path: Path
) -> None:
    written = write_report(content(runs=runs(indices)), tmp_path)

    html = written.page.read_text()
    page = Page(html)
    text = " ".join(" ".join(page.text).split())
    for shown in (
        "Café & Sea",
        "a plain field",
        "a <b>bold</b> prompt",
        "a green one",
        "frozen CLIP",
        "negatives other-style, loss contrastive, head mlp",
        "80/20",
        "40/60",
        "0.812",
        "0.746",
        "failed",
    ):
        assert shown in text
    assert all(address.startswith("data:image/") for address in page.fetched)
    assert len(page.fetched) == 2 + 2 + 1
    assert not re.search(r"url\(|@import|<script|<link", html)
    assert written.curves == tmp_path / "splits.png"


def test_a_report_on_random_models_says_so_before_anything_else(tmp_path: Path) -> None:
    plain = write_report(content(), tmp_path / "plain").page.read_text()
    warned = write_report(content(untrained=True), tmp_path / "warned").page.read_text()

    note = "tiny random models: images and captions mean nothing; this shows that the machinery works"
    assert note not in plain
    assert warned.index(note) < warned.index("<h1>")
    assert opened(tmp_path / "warned" / "sheet.png").height > opened(tmp_path / "plain" / "sheet.png").height


def test_a_campaign_without_repaints_still_has_a_report(tmp_path: Path) -> None:
    written = write_report(content(examples=(), pairs=(), counts={}), tmp_path)

    assert "paragone work" in written.page.read_text()
    assert written.curves is None
    assert opened(written.sheet).size[0] > 1000


def test_the_contact_sheet_puts_the_original_left_and_each_level_in_its_column(tmp_path: Path) -> None:
    original, repaint = Image.new("RGB", (50, 50), "#ff0000"), Image.new("RGB", (50, 50), "#0000ff")
    radical = ExampleRepaint(level="radical", image=repaint, prompt="p", brief="b", recaption=None)
    example = ExampleArtwork(image=original, title="t", artist="a", style="s", caption=None, repaints=(radical,))

    sheet = opened(write_report(content(examples=(example,)), tmp_path).sheet)

    left, middle, right = (sheet.getpixel((48 + column * 408 + 190, 48 + 56 + 100)) for column in range(3))
    assert left == (255, 0, 0)
    assert middle == (251, 250, 247)
    assert right == (0, 0, 255)


def test_training_curves_are_drawn_for_one_epoch_and_without_validation(tmp_path: Path) -> None:
    plot_splits({"80/20": history_of(1), "40/60": history_of(3, validation=False)}, tmp_path / "curves.png")

    assert opened(tmp_path / "curves.png").size == (1500, 630)
