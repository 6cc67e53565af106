"""`paragone verify`: whether every row has its blob and every artwork its chain, and the repair of what can be made again."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console

from db.verification import MENDS, FindingKind, Verification
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.errors import WrongUse
from producer.verify import SAMPLE, verify_runtime
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db.runtime import Runtime


@click.command(short_help="Check that each row has its blob and chain.")
@click.option("--campaign", metavar="NAME", help="Only this campaign.  [default: all]")
@click.option("--sample", type=click.IntRange(min=0), metavar="N", help=f"Read the bytes of so many files.  [default: {SAMPLE:,}]")
@click.option("--all", "everything", is_flag=True, help="Read the bytes of every file.")
@click.option("--repair", is_flag=True, help="Have made again what jobs can make.")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def verify(runtime: Runtime, *, campaign: str | None, sample: int | None, everything: bool, repair: bool, as_json: bool) -> None:
    """Check that each row has its blob, with the right bytes, and each artwork its chain; exit 1 if something is wrong.

    Every file is looked for; of a sample, or with --all of every one, the bytes are read and hashed.

    --repair requeues what can be made again: captions, prompts, repaints. Lost originals come back by `paragone ingest` alone.
    """
    if everything and sample is not None:
        raise WrongUse("--all reads every file and --sample some: choose one")
    with _progress(quiet=as_json) as watch:
        count = None if everything else SAMPLE if sample is None else sample
        result = verify_runtime(runtime, campaign, sample=count, repair=repair, watch=watch)
    if as_json:
        emit_json({"sound": result.is_sound, **asdict(result)})
    else:
        _show(console(), result, repaired=repair)
    sys.exit(0 if result.is_sound else 1)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Verification], None]]:
    """How far it is, on a terminal."""
    err = Console(stderr=True)
    if quiet or not err.is_terminal:
        yield lambda _: None
        return
    with err.status("verifying") as status:
        yield lambda result: status.update(_counted(result))


def _show(out: Console, result: Verification, *, repaired: bool) -> None:
    out.print(_counted(result), markup=False, soft_wrap=True)
    for kind in FindingKind:
        if count := result.findings.get(str(kind)):
            out.print(f"{count:,} x {kind}: {MENDS[kind]}", markup=False, style="red", soft_wrap=True)
    for one in result.first:
        out.print(f"  {one.kind}: {one.subject}: {one.detail}", markup=False, soft_wrap=True)
    total = sum(result.findings.values())
    if total > len(result.first):
        out.print(f"  and {total - len(result.first):,} more", soft_wrap=True)
    if repaired and total:
        out.print(f"requeued {result.requeued:,} jobs, corrected {result.corrected:,} rows and blobs", soft_wrap=True)
        out.print("verify again when the workers are done", style="dim", soft_wrap=True)
    if not total:
        out.print("all is in order", style="green")


def _counted(result: Verification) -> str:
    files = f"{result.originals:,} originals, {result.repaints:,} repaints, {result.superseded:,} superseded ones"
    return f"looked at {files} ({result.hashed:,} read and hashed), and at {result.jobs:,} done jobs"
