"""`paragone gc`: remove orphan blobs from the store, and on request old attempts from the database."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.filesize import decimal

from db.durations import format_duration
from db.jobs.prune import prune_attempts
from db.store.garbage import GRACE_SECONDS, collect_garbage
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.durations import duration_callback
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command(short_help="Remove orphan blobs from the store.")
@click.option("--grace", metavar="AGE", callback=duration_callback, help="Keep blobs younger than this (30s, 10m, 2h, 3d).  [default: 1d]")
@click.option(
    "--attempts", metavar="AGE", callback=duration_callback, help="Also remove attempts older than this, of jobs that ended well."
)
@click.option("--dry-run", is_flag=True, help="Count only.")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def gc(runtime: Runtime, *, grace: float | None, attempts: float | None, dry_run: bool, as_json: bool) -> None:
    """Remove blobs that no artwork and no repaint, current or superseded, refers to.

    A new blob may belong to a job that is about to commit: the grace age keeps it. While jobs are running, whatever the grace age, nothing
    is removed that is younger than the oldest of them or than ten minutes. Beside an ingest leave it long: its images have no rows yet.

    --attempts also prunes the history of jobs that are done or cancelled.
    """
    seconds = GRACE_SECONDS if grace is None else grace
    alive = runtime.settings.alive_within_seconds
    garbage = collect_garbage(runtime.database, runtime.store, grace_seconds=seconds, alive_within_seconds=alive, dry_run=dry_run)
    pruned = None if attempts is None else prune_attempts(runtime.database, attempts, dry_run=dry_run)
    if as_json:
        emit_json({**asdict(garbage), "attempts": pruned, "dry_run": dry_run})
        return
    verb = "would remove" if dry_run else "removed"
    blobs = f"{garbage.blobs:,} orphan {'blob' if garbage.blobs == 1 else 'blobs'}"
    older = format_duration(garbage.grace_seconds)
    out = console()
    out.print(f"{verb} {blobs} older than {older} ({decimal(garbage.byte_size)}), kept {garbage.kept:,}", soft_wrap=True)
    if garbage.work_under_way:
        out.print(f"jobs are running: what is younger than {older} may be theirs and was kept", soft_wrap=True)
    if garbage.leftovers:
        files = "file that a killed process" if garbage.leftovers == 1 else "files that killed processes"
        out.print(f"{verb} {garbage.leftovers:,} unfinished {files} had left", soft_wrap=True)
    if attempts is not None:
        out.print(f"{verb} {pruned:,} attempts older than {format_duration(attempts)} from the database", soft_wrap=True)
