"""The part of `paragone status` on hosts: each device with its pace and what it does now, and hosts that need a look."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from db.durations import format_duration, format_pace
from db.enums import HostState
from db.monitoring.hosts import LARGE_CLOCK_OFFSET

if TYPE_CHECKING:
    from rich.console import RenderableType

    from db.monitoring.hosts import HostStatus
    from db.monitoring.progress import Progress
    from db.monitoring.worker_registry import RegisteredWorker

#: A worker that is silent for longer than this many seconds is highlighted.
_QUIET = 15.0
_STYLES = {HostState.DRAINING: "yellow", HostState.DRAINED: "dim", HostState.SILENT: "red"}


def hosts_view(progress: Progress) -> Group:
    """A line for each living worker by host, then one for each host that is drained, silent, or has a clock that is off."""
    parts: list[RenderableType] = [_workers(progress)] if progress.workers else []
    notes = [note for host in progress.hosts for note in _notes(host)]
    if parts and notes:
        parts.append(Text())
    return Group(*parts, *notes)


def _workers(progress: Progress) -> Table:
    table = Table("host", "device", "stages", "now", box=None, pad_edge=False)
    table.add_column("pace", justify="right")
    table.add_column("seen", justify="right")
    all_stages = tuple(progress.jobs)
    in_order = sorted(progress.workers, key=lambda worker: (worker.host, worker.name, worker.id))
    for host, workers in groupby(in_order, key=lambda worker: worker.host):
        shown = host
        for worker in workers:
            quiet = Text(format_duration(worker.silent_for), style="red" if worker.silent_for > _QUIET else "")
            pace = format_pace(sum(worker.rates.values()))
            table.add_row(Text(shown), Text(worker.name or worker.device), _served(worker, all_stages), _doing(worker), pace, quiet)
            shown = ""
    return table


def _served(worker: RegisteredWorker, all_stages: tuple[str, ...]) -> str:
    return "all" if set(worker.stages) == set(all_stages) else ", ".join(worker.stages)


def _doing(worker: RegisteredWorker) -> Text:
    """The batch on the device, or else the one that is held longest."""
    held = sorted(worker.under_way, key=lambda batch: (batch.on_device_for is None, -batch.held_for))
    if not held:
        return Text(f"{worker.batches} batches" if worker.batches else "idle", style="" if worker.batches else "dim")
    first = held[0]
    if first.stage is None:
        words = f"a batch, {format_duration(first.held_for)}"
    else:
        words = f"{first.stage} x{first.jobs} of {first.campaign}, {format_duration(first.held_for)}"
    return Text(words + (f" (+{len(held) - 1})" if len(held) > 1 else ""))


def _notes(host: HostStatus) -> list[Text]:
    notes = []
    style = _STYLES.get(host.state, "")
    match host.state:
        case HostState.DRAINING:
            notes.append(f"{host.host} is draining: {host.workers} of its workers finish what they hold")
        case HostState.DRAINED:
            notes.append(f"{host.host} is drained: `paragone drain {host.host} --undo` lets it work again")
        case HostState.SILENT:
            ago = format_duration(host.silent_for or 0.0)
            notes.append(f"{host.host} is silent for {ago}: it died or cannot reach the database, its jobs go to others")
    shown = [Text(note, style=style) for note in notes]
    if host.clock_offset is not None and abs(host.clock_offset) > LARGE_CLOCK_OFFSET:
        side = "ahead of" if host.clock_offset > 0 else "behind"
        off = format_duration(abs(host.clock_offset))
        shown.append(Text(f"the clock of {host.host} is {off} {side} the database's: set it by NTP", style="yellow"))
    return shown
