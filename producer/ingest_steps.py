"""What an operator can do after an ingest, as commands to copy."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from producer.cleaning.report import CleaningReport
    from producer.ingest import CatalogueSource


def next_steps(report: CleaningReport, source: CatalogueSource, template: Path | None) -> list[str]:
    """Lines that name the way on; none where nothing is in the way."""
    if template is not None:
        return [f"next: fill in {template}, then {_ingest_again(template, source)}"]
    if not report.incomplete:
        return []
    if report.complete:
        few = f"{report.incomplete:,} are left out of campaigns: give their artist and style with --artist and --style"
        table = "write a table to fill in with --template FILE.csv"
        return [f"{few}, {table}, or take them as they are with `paragone enqueue --include-incomplete`"]
    again = f"paragone ingest {_options(source)}"
    gaps = [gap.removeprefix("no ") for reason in report.details["incomplete_reasons"] for gap in reason.split(", ")]
    missing = " or ".join(dict.fromkeys(gaps))
    given = " ".join(f'--{gap} "NAME"' for gap in ("artist", "style") if gap in missing)
    ways = (
        (f"{again} {given}", "the same for all"),
        (f"{again} --template artworks.csv", "a table to fill in, a row for each picture"),
        ("paragone enqueue --include-incomplete", "take them as they are"),
    )
    width = max(len(command) for command, _ in ways)
    return [
        f"no artwork is complete: campaigns leave out what has no {missing}. Three ways on:",
        *(f"  {command:<{width}}  {meaning}" for command, meaning in ways),
    ]


def nothing_found(report: CleaningReport) -> str:
    """One line for a catalogue without artworks: what was there, and what to do."""
    if report.refused:
        reason = next(iter(report.details["refused_reasons"]))
        return f"{report.catalogue} holds no artwork: all {report.refused:,} rows and files were refused ({reason}): correct their paths"
    skipped = sum(report.details["skipped"].values())
    if skipped:
        return f"{report.catalogue} holds no artwork: {skipped:,} files in it were skipped: name the folder that holds the pictures"
    return f"{report.catalogue} holds no picture and no row: name a folder with image files (.jpg, .png, .tif, ...) or a catalogue"


def _options(source: CatalogueSource) -> str:
    options = [str(source.catalogue)]
    options += [] if source.images is None else ["--images", str(source.images)]
    options += [] if source.file_list is None else ["--file-list", str(source.file_list)]
    return shlex.join(options)


def _ingest_again(template: Path, source: CatalogueSource) -> str:
    if source.file_list is not None:
        return f"paragone ingest {shlex.join([str(template), '--file-list', str(source.file_list)])}"
    root = source.image_root
    beside = template.resolve().parent == root.resolve()
    return f"paragone ingest {shlex.join([str(template), *([] if beside else ['--images', str(root)])])}"
