"""`paragone export`: the data set as files that other programs open, and to the hub if asked."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.filesize import decimal

from producer.commands.context import campaign_option, console, emit_json, json_option, pass_runtime
from producer.commands.filter_options import where_option
from producer.export.errors import ExportIncomplete
from producer.export.options import ROWS_PER_SHARD, ExportOptions, ExportSplit, OriginalsAs
from producer.export.push import HuggingFaceUploader, check_hub_id, hub_token, push_export
from producer.export.registry import format_names
from producer.export.run import export_campaign
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db.results.export_manifest import ExportManifest
    from db.runtime import Runtime
    from producer.export.run import ExportResult


def _split(_context: click.Context, _parameter: click.Parameter, value: str) -> ExportSplit:
    try:
        return ExportSplit.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("export", short_help="Write the data set as files, for the hub too.")
@click.argument("folder", metavar="DEST", type=click.Path(file_okay=False, path_type=Path))
@click.option("--format", "format_name", type=click.Choice(format_names()), default="parquet", show_default=True, help="What is written.")
@campaign_option
@click.option(
    "--originals",
    type=click.Choice([*map(str, OriginalsAs)]),
    default="as-is",
    show_default=True,
    help="The registered files, or upright RGB at the repaint's size.",
)
@click.option(
    "--split",
    default="none",
    show_default=True,
    metavar="S",
    callback=_split,
    help="none, catalogue (its own subset), or percents such as 80/10/10.",
)
@click.option("--split-seed", type=int, default=0, show_default=True, help="Decides who is on which side.")
@click.option("--style", "styles", metavar="S", multiple=True, help="Only artworks of this style; may be repeated.")
@click.option("--level", "levels", metavar="L", multiple=True, help="Only this level; may be repeated.")
@where_option
@click.option("--limit", type=click.IntRange(min=1), help="Only the first pairs.")
@click.option(
    "--rows-per-shard",
    "--shard-size",
    "rows_per_shard",
    type=click.IntRange(min=1),
    default=ROWS_PER_SHARD,
    show_default=True,
    help="Pairs in one file, or in one folder of images.",
)
@click.option("--license", "license_name", metavar="ID", help="Licence of the data set, for its card.")
@click.option("--force", is_flag=True, help="Replace an export of other rows that is there.")
@click.option("--push-to", metavar="OWNER/NAME", help="Send it to the hub, by HF_TOKEN.")
@click.option("--private", is_flag=True, help="Make the data set on the hub private.")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def export(
    runtime: Runtime,
    *,
    folder: Path,
    format_name: str,
    campaign: str | None,
    originals: str,
    split: ExportSplit,
    split_seed: int,
    styles: tuple[str, ...],
    levels: tuple[str, ...],
    where: str | None,
    limit: int | None,
    rows_per_shard: int,
    license_name: str | None,
    force: bool,
    push_to: str | None,
    private: bool,
    as_json: bool,
) -> None:
    """Write the data set of a campaign into the folder DEST: one row for each current repaint, with its original.

    Interrupted, the same command goes on where it ended; the same rows give the same bytes. A pair whose images cannot be had is left out
    and counted, and the exit code is 1.
    """
    options = ExportOptions(
        format=format_name,
        campaign=campaign,
        originals=OriginalsAs(originals),
        split=split,
        split_seed=split_seed,
        styles=styles,
        levels=levels,
        where=where or "",
        limit=limit,
        rows_per_shard=rows_per_shard,
        force=force,
        license=license_name,
        push_to=push_to,
        private=private,
    )
    token = _token(push_to)
    with _progress(quiet=as_json) as watch:
        result = export_campaign(runtime, folder.expanduser(), options, watch)
    emit_json(result) if as_json else _show(console(), result)
    if result.left_out:
        raise ExportIncomplete(
            f"{result.left_out:,} pairs are not in the export, because images could not be had: `paragone verify` says which, "
            "and what mends it; then run the same command again"
        )
    if push_to is not None:
        push_export(folder.expanduser(), push_to, private=private, uploader=HuggingFaceUploader(token), token=token)
        if not as_json:
            console().print(f"pushed to https://huggingface.co/datasets/{push_to}", soft_wrap=True)


def _token(push_to: str | None) -> str:
    """The token, if one is needed: asked for before hours of work, not after."""
    if push_to is None:
        return ""
    check_hub_id(push_to)
    return hub_token(os.environ)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[ExportManifest], None]]:
    """How far it is, on a terminal."""
    err = Console(stderr=True)
    if quiet or not err.is_terminal:
        yield lambda _: None
        return
    with err.status("reading the rows") as status:
        yield lambda manifest: status.update(f"exported {manifest.rows:,} of {manifest.source.rows:,} pairs")


def _show(out: Console, result: ExportResult) -> None:
    sides = ", ".join(f"{count:,} {side}" for side, count in result.splits.items())
    out.print(f"campaign {result.campaign}: {result.rows:,} pairs ({sides}), {decimal(result.bytes)}", markup=False, soft_wrap=True)
    if result.unscored:
        out.print(f"{result.unscored:,} repaints lack a score that the filter names: `paragone score`", soft_wrap=True)
    resumed = f", {result.resumed:,} of them from before" if result.resumed else ""
    out.print(f"{result.format} in {result.folder}: {result.shards:,} pieces{resumed}", markup=False, soft_wrap=True)
    for pair in result.first_left_out:
        out.print(f"  left out: {pair.artwork}, {pair.level} {pair.ordinal}: {pair.reason}", markup=False, soft_wrap=True)
    if result.left_out > len(result.first_left_out):
        out.print(f"  and {result.left_out - len(result.first_left_out):,} more: the manifest names them", soft_wrap=True)
