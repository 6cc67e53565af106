"""`paragone gc`: remove orphan blobs from the store."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.filesize import decimal

from db.garbage import GRACE_SECONDS, collect_garbage
from producer.age import as_age, spoken
from producer.commands.context import console, emit_json, json_option, pass_house

if TYPE_CHECKING:
    from db.house import House


@click.command
@click.option("--grace", metavar="AGE", callback=as_age, help="Keep blobs younger than this (30s, 10m, 2h, 3d).  [default: 1d]")
@click.option("--dry-run", is_flag=True, help="Count only.")
@json_option
@pass_house
def gc(house: House, *, grace: float | None, dry_run: bool, as_json: bool) -> None:
    """Remove blobs that no artwork and no repaint, current or past, refers to.

    A young blob may belong to a job that is just about to commit: the grace age keeps it.
    """
    seconds = GRACE_SECONDS if grace is None else grace
    garbage = collect_garbage(house.engine, house.store, grace_seconds=seconds, dry_run=dry_run)
    if as_json:
        emit_json({**asdict(garbage), "dry_run": dry_run})
        return
    verb = "would remove" if dry_run else "removed"
    blobs = f"{garbage.blobs:,} orphan {'blob' if garbage.blobs == 1 else 'blobs'}"
    console().print(f"{verb} {blobs} older than {spoken(seconds)} ({decimal(garbage.byte_size)}), kept {garbage.kept:,}")
