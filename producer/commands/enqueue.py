"""`paragone enqueue`: open a campaign, or find it, and plan what it still lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.filesize import decimal

from db.enums import CampaignState
from db.jobs.plan import Selection
from producer.campaign_options import CampaignOptions
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.costs_view import forecast_lines
from producer.enqueue import EnqueueResult, enqueue_campaign
from producer.enqueue_checks import models_warning
from producer.forecast import Forecast, free_bytes
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from rich.console import Console

    from db.runtime import Runtime


@click.command(short_help="Plan the repaints that a campaign still lacks.")
@click.option("--campaign", metavar="NAME", help="Its name.  [default: the file's, else the latest, else 'default']")
@click.option("--config", metavar="FILE.toml", help="Campaign file, or one that ships: repaints, radical-sdxl-base.")
@click.option("--models", metavar="DIR|pocket", help="Local models with a models.json, instead of those the campaign names.")
@click.option("--level", "levels", metavar="L", multiple=True, help="Only this level; may be repeated.")
@click.option("--include-incomplete", is_flag=True, help="Take artworks without style or artist too; set when a campaign is opened.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first artworks.")
@click.option("--style", "styles", metavar="S", multiple=True, help="Only artworks of this style; may be repeated.")
@click.option(
    "--priority", type=click.IntRange(-(2**31), 2**31 - 1), default=0, show_default=True, help="Of the new jobs; higher goes first."
)
@click.option("--dry-run", is_flag=True, help="Write nothing, show what would be planned.")
@json_option
@wait_option(Service.DATABASE, Service.BROKER, needed=Service.DATABASE)
@pass_runtime
def enqueue(
    runtime: Runtime,
    *,
    campaign: str | None,
    config: str | None,
    models: str | None,
    levels: tuple[str, ...],
    include_incomplete: bool,
    limit: int | None,
    styles: tuple[str, ...],
    priority: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Plan the repaints that a campaign still lacks; running it again adds nothing.

    The configuration is frozen when the campaign is opened. Without --config, --models and --level a campaign keeps its own.
    """
    options = CampaignOptions(name=campaign, config=config, models=models, levels=levels, include_incomplete=include_incomplete)
    selection = Selection(styles=styles, limit=limit, priority=priority)
    result = enqueue_campaign(runtime, options, selection, dry_run=dry_run)
    warning = None if models is None else models_warning(runtime.database, models)
    if warning is not None:
        click.echo(f"paragone: {warning}", err=True)
    if as_json:
        emit_json(result)
    else:
        _show(console(), runtime, result)


def _show(out: Console, runtime: Runtime, planned: EnqueueResult) -> None:
    counts = f"{planned.artworks:,} artworks, {planned.variations:,} variations, {planned.jobs:,} jobs"
    verb = "would be added" if planned.dry_run else "added"
    added = f"{counts} {verb}" if planned.jobs else "nothing to add"
    out.print(f"campaign {planned.campaign}: {added}", soft_wrap=True)
    if planned.left_out:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in sorted(planned.left_out.items()))
        out.print(f"left out: {sum(planned.left_out.values()):,} artworks ({reasons})", markup=False, soft_wrap=True)
        if not planned.jobs and set(planned.left_out) != {"unreadable"}:
            out.print("give what is missing: `paragone ingest CATALOGUE --artist NAME --style NAME`, or --template FILE", soft_wrap=True)
    if planned.without_picture:
        out.print(f"{planned.without_picture:,} wait for their original: run `paragone ingest` on the images", soft_wrap=True)
    if planned.jobs:
        _show_forecast(out, runtime, planned.forecast)
    if planned.state is CampaignState.PAUSED:
        out.print("the campaign is paused: `paragone resume`", style="yellow")
    elif planned.jobs and not planned.dry_run:
        out.print("next: `paragone work` on each machine, `paragone status --watch` anywhere", style="dim", soft_wrap=True)


def _show_forecast(out: Console, runtime: Runtime, outlook: Forecast) -> None:
    out.print(f"disk: about {decimal(outlook.disk_bytes)} ({outlook.disk_basis})", soft_wrap=True)
    free = free_bytes(runtime.settings.store_location)
    if free is not None and free < outlook.disk_bytes:
        out.print(f"the store has only {decimal(free)} free: set PARAGONE_STORE_URL to a larger place", style="red", soft_wrap=True)
    for line in forecast_lines(outlook):
        out.print(line, markup=False, soft_wrap=True)
