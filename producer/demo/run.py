"""The demo from the first painting to the report, in one folder for everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from db.models_directory import POCKET
from producer.demo.steps import WORKERS, DemoSteps

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

CAMPAIGN = "demo"
SPLITS = ("80/20", "40/60")

_POCKET_NOTE = "The models are the pocket models that ship with Paragone: small, and trained only on Paragone's generated samples."


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What the demo is asked to do: artworks to paint, and the folder for the samples, the database, the models and the report."""

    out: Path
    artworks: int
    seed: int
    #: A value of `--models`.
    models: str = POCKET
    #: Whether it runs on the configured database, broker and store, by workers that run already, instead of alone in its folder.
    shared: bool = False

    @property
    def report(self) -> Path:
        """The page to open at the end."""
        return self.out / "report" / "index.html"


def run_demo(options: DemoOptions, console: Console) -> None:
    """Paint, clean, plan, work, train, compare and report; raises `DemoFailed` with the step that failed.

    Running it again in the same folder continues where it stopped.
    """
    steps = DemoSteps.shared(console) if options.shared else DemoSteps.alone(options.out / "data", console)
    samples = options.out / "samples"
    steps.run("painting sample artworks", "samples", samples, "--count", options.artworks, "--seed", options.seed)
    steps.run("reading and cleaning the catalogue", "ingest", samples / "classes.csv")
    steps.run("planning the campaign", "enqueue", "--campaign", CAMPAIGN, "--models", options.models)
    if options.models == POCKET:
        console.print(_POCKET_NOTE, soft_wrap=True)
    if options.shared:
        steps.wait_for_workers("captioning, writing prompts, repainting, by the workers that run already", CAMPAIGN)
    else:
        steps.run_workers(f"captioning, writing prompts, repainting, with {WORKERS} worker processes")
    steps.run("showing the status", "status", "--campaign", CAMPAIGN)
    splits = [part for split in SPLITS for part in ("--split", split)]
    steps.run("training on two splits", "train", "--campaign", CAMPAIGN, *splits, quiet=True)
    one, other = [path for path in sorted(samples.glob("*/*.jpg")) if can_open(path)][:2]
    steps.run("comparing two images", "compare", one, other)
    steps.run("writing the report", "report", "--campaign", CAMPAIGN, "--out", options.report.parent)


def can_open(path: Path) -> bool:
    """Whether this image is complete: one broken file is among the samples."""
    try:
        with Image.open(path) as image:
            image.load()
    except OSError:
        return False
    return True
