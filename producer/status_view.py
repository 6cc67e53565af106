"""The view of `paragone status`: stages with their counts and pace, the time left, workers, and what is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from db.durations import format_duration, format_pace
from db.enums import UNFINISHED_STATES, CampaignState, JobState
from producer.costs_view import costs_view
from producer.hosts_view import hosts_view

if TYPE_CHECKING:
    from rich.console import RenderableType

    from db.monitoring.progress import Progress

#: Width of a progress bar in characters.
BAR = 16
_STATES = {
    JobState.WAITING: "dim",
    JobState.READY: "cyan",
    JobState.RUNNING: "yellow",
    JobState.DONE: "green",
    JobState.FAILED: "red",
    JobState.CANCELLED: "dim",
}


def status_view(progress: Progress) -> RenderableType:
    """The whole view, from top to bottom."""
    if not progress.campaigns:
        return Text("no campaign yet: `paragone ingest CATALOGUE`, then `paragone enqueue`")
    parts: list[RenderableType] = [_campaigns(progress), Text(), _stages(progress), Text(), _outlook(progress)]
    if progress.costs is not None:
        parts.append(costs_view(progress.costs))
    if progress.workers or progress.hosts:
        parts += [Text(), hosts_view(progress)]
    if progress.stuck:
        parts += [Text(), _stuck(progress)]
    return Group(*parts)


def _campaigns(progress: Progress) -> Text:
    shown = [
        name if facts["state"] == CampaignState.OPEN else f"{name} ({facts['state']})" for name, facts in sorted(progress.campaigns.items())
    ]
    return Text(f"{'campaign' if len(shown) == 1 else 'campaigns'} {', '.join(shown)}", style="bold")


def _stages(progress: Progress) -> Table:
    shown = {state: style for state, style in _STATES.items() if state is not JobState.CANCELLED or _has(progress, state)}
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    for state in shown:
        table.add_column(str(state), justify="right")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("pace", justify="right")
    for stage, states in progress.jobs.items():
        total, done = sum(states.values()), states.get(JobState.DONE, 0)
        if not total:
            continue
        cells = [_count(states.get(state, 0), style) for state, style in shown.items()]
        bar = ProgressBar(total=total, completed=done, width=BAR)
        table.add_row(stage, *cells, bar, f"{100 * done // total} %", format_pace(progress.rates.get(stage, 0.0)))
    return table


def _has(progress: Progress, state: JobState) -> bool:
    return any(states.get(state) for states in progress.jobs.values())


def _count(count: int, style: str) -> Text:
    return Text(f"{count:,}", style=style) if count else Text("·", style="dim")


def _outlook(progress: Progress) -> Text:
    left = sum(states.get(state, 0) for states in progress.jobs.values() for state in UNFINISHED_STATES)
    text = Text(f"{progress.images:,} repaints")
    if progress.eta_seconds is not None:
        text.append(f", about {format_duration(progress.eta_seconds)} left at this pace")
    elif left and not _can_continue(progress):
        text.append(f", {left:,} jobs cannot continue: see below")
    elif left:
        text.append(f", {left:,} jobs to do, pace not known yet")
    else:
        text.append(", nothing left to do")
    return text


def _can_continue(progress: Progress) -> bool:
    return any(states.get(state) for states in progress.jobs.values() for state in (JobState.READY, JobState.RUNNING))


def _stuck(progress: Progress) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", style="yellow")
    table.add_column()
    for reason, count in sorted(progress.stuck.items(), key=lambda item: -item[1]):
        table.add_row(f"{count:,}", Text(reason))
    return table
