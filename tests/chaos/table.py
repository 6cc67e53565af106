"""The table of a run: for each kind of fault how often, what came of it, and how long it took until work went on."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.gates import Evidence
    from tests.chaos.journal import Injected

HEADINGS = ("kind", "injected", "recovered", "lost", "doubled", "worst s", "median s", "worst s since all clear", "jobs free: worst s")


@dataclass(frozen=True, kw_only=True)
class KindSummary:
    """One kind of fault over a run."""

    kind: str
    injected: int
    recovered: int
    #: Jobs that were under way when it struck and are lost, or doubled, at the end.
    lost: int
    doubled: int
    #: Seconds from its end until a job was done, whatever else was going on.
    worst: float
    median: float
    #: The same from the end of the last outage that overlapped it: nobody could work before.
    worst_clear: float
    #: From there until the jobs of the workers that it took were free; None for faults that take none.
    worst_freed: float | None


def summaries(evidence: Evidence) -> list[KindSummary]:
    """Each kind, in the order of the lanes; then all together."""
    kinds: defaultdict[tuple[str, str], list[Injected]] = defaultdict(list)
    for entry in evidence.journal.injected:
        kinds[entry.lane, entry.kind].append(entry)
    lines = [_summary(evidence, kind, entries) for (_, kind), entries in sorted(kinds.items())]
    return [*lines, _summary(evidence, "all", evidence.journal.injected)]


def as_text(lines: list[KindSummary]) -> str:
    """A Markdown table."""
    cells = [HEADINGS, tuple("-" for _ in HEADINGS)] + [_cells(line) for line in lines]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    return "\n".join("| " + " | ".join(_padded(row, widths)) + " |" for row in cells)


def as_json(evidence: Evidence, broken: dict[str, list[str]], *, seconds: float, seed: int) -> dict[str, Any]:
    """Everything, for a file."""
    return {
        **evidence.world.facts(),
        "seed": seed,
        "seconds": seconds,
        "kinds": [vars(line) for line in summaries(evidence)],
        "missed": evidence.journal.missed,
        "broken": broken,
        "faults": [entry.facts() for entry in evidence.journal.injected],
        "deepest_queue": evidence.watch.deepest,
    }


def _summary(evidence: Evidence, kind: str, entries: list[Injected]) -> KindSummary:
    hit = {job for entry in entries for job in entry.jobs}
    chains = evidence.chains
    journal = evidence.journal
    going = [seconds for entry in entries if (seconds := entry.goes_on_after) is not None]
    clear = [max(0.0, entry.goes_on_at - journal.cleared(entry)) for entry in entries if entry.goes_on_at is not None]
    freed = [max(0.0, entry.freed_at - journal.cleared(entry)) for entry in entries if entry.freed_at is not None and entry.victims]
    return KindSummary(
        kind=kind,
        injected=len(entries),
        recovered=sum(entry.recovered for entry in entries),
        lost=sum(any(job["id"] in hit for job in chains[row["id"]]) for row in evidence.lost),
        doubled=sum(any(job["id"] in hit for job in chains[row["id"]]) for row in evidence.doubled),
        worst=max(going, default=0.0),
        median=statistics.median(going) if going else 0.0,
        worst_clear=max(clear, default=0.0),
        worst_freed=max(freed, default=None),
    )


def _cells(line: KindSummary) -> tuple[str, ...]:
    counts = tuple(map(str, (line.injected, line.recovered, line.lost, line.doubled)))
    freed = "" if line.worst_freed is None else f"{line.worst_freed:.1f}"
    return (line.kind, *counts, f"{line.worst:.1f}", f"{line.median:.1f}", f"{line.worst_clear:.1f}", freed)


def _padded(row: tuple[str, ...], widths: list[int]) -> list[str]:
    if row[1] == "-":
        return ["-" * width if column == 0 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return [cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))]
