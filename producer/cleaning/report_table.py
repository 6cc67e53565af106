"""The cleaning report for the terminal: short, with what needs attention below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producer.cleaning.report import CleaningReport

#: Single cases shown of each kind; all are in `--json`.
SHOWN = 5


def report_table(report: CleaningReport) -> Group:
    """What an ingest found, as a renderable of rich."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", justify="right")
    facts.add_column()
    for count, fact in _facts(report):
        facts.add_row(f"{count:,}", fact)
    return Group(Text(f"{report.catalogue} ({report.reader})", style="dim"), facts, *_cases(report))


def _facts(report: CleaningReport) -> Iterator[tuple[int, str]]:
    yield report.rows, "rows"
    yield report.files, "files"
    yield report.artworks, f"artworks, {report.complete:,} of them complete"
    changes = report.changes
    yield changes["new"], f"new in the database; {changes['changed']:,} changed, {changes['arrived']:,} images arrived"
    optional = (
        (report.second_copies, "found again in another folder, joined to their artwork"),
        (report.joined_by_content, "joined by content: their bytes are an artwork's that has another name"),
        (report.same_name, "of the same name as a different picture: artworks of their own"),
        (report.similar_names, "joined to a row that writes their name in another way"),
        (report.names_repaired, f"with a broken name, repaired ({report.works_with_repaired_names:,} of all artworks)"),
        (report.uncertain_artists, "of uncertain artist"),
        (report.filled, "with an artist or style that you gave for all"),
        (report.incomplete, f"incomplete, left out of campaigns: {_reasons(report)}"),
        (report.refilled, "put back into the store; next: paragone requeue --kind input"),
        (report.unreadable, "with an image that cannot be read"),
        *((count, f"repaired: {what}") for what, count in report.details["repairs"].items()),
        (report.missing_files, "without a file: planned until it arrives"),
        (len(report.details["replaced"]), "known files with other bytes than before: their artworks have new originals"),
        *((count, f"refused: {reason}") for reason, count in report.details["refused_reasons"].items()),
        *((count, f"files skipped in {folder}") for folder, count in report.details["skipped"].items()),
    )
    yield from ((count, fact) for count, fact in optional if count)
    yield report.unexplained, "rows or files unexplained"


def _reasons(report: CleaningReport) -> str:
    return "; ".join(f"{count:,} {reason}" for reason, count in report.details["incomplete_reasons"].items())


def _cases(report: CleaningReport) -> Iterator[str]:
    for kind in ("unreadable", "refused"):
        cases = report.details[kind]
        yield from (f"[red]{kind}[/] {escape(case['path'])}: {escape(case['reason'])}" for case in cases[:SHOWN])
        if len(cases) > SHOWN:
            yield f"[dim]and {len(cases) - SHOWN:,} more {kind}: --json lists them[/]"
    if report.details["similar_names"]:
        pair = report.details["similar_names"][0]
        yield f"[dim]joined by a similar name, as {escape(pair['file'])} to the row {escape(pair['row'])}[/]"
    if report.details["same_name"]:
        case = report.details["same_name"][0]
        yield f"[dim]same name, different picture: {escape(case['name'])}, now also {escape(case['artwork'])}[/]"
    yield from (f"[yellow]{escape(hint)}[/]" for hint in report.details["hints"])
    if report.charts:
        yield f"[dim]charts of this report: {escape(report.charts[0].rsplit('/', 1)[0])}[/]"
