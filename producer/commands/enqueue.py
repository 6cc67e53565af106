"""`paragone enqueue`: open a campaign, or find it, and plan what it still lacks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.filesize import decimal

from db.enums import CampaignState
from db.jobs.plan import PlannedWork, Selection, plan_campaign
from producer.artworks import check_registered, check_styles
from producer.campaign_checks import check_not_cancelled
from producer.campaign_options import CampaignOptions, chosen_campaign
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.durations import format_duration
from producer.forecast import Forecast, forecast, free_bytes
from producer.notify import notify_ready

if TYPE_CHECKING:
    from rich.console import Console

    from db.campaigns import Campaign
    from db.runtime import Runtime


@click.command
@click.option("--campaign", metavar="NAME", help="Its name.  [default: the file's, else the latest, else 'default']")
@click.option("--config", metavar="FILE.toml", help="Campaign file, or one that ships: repaints, radical-sdxl-base.")
@click.option("--models", metavar="DIR|pocket", help="Local models with a models.json, instead of those the campaign names.")
@click.option("--level", "levels", metavar="L", multiple=True, help="Only this level; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first artworks.")
@click.option("--style", "styles", metavar="S", multiple=True, help="Only artworks of this style; may be repeated.")
@click.option(
    "--priority", type=click.IntRange(-(2**31), 2**31 - 1), default=0, show_default=True, help="Of the new jobs; higher goes first."
)
@click.option("--dry-run", is_flag=True, help="Write nothing, show what would be planned.")
@json_option
@pass_runtime
def enqueue(
    runtime: Runtime,
    *,
    campaign: str | None,
    config: str | None,
    models: str | None,
    levels: tuple[str, ...],
    limit: int | None,
    styles: tuple[str, ...],
    priority: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Plan the repaints that a campaign still lacks; running it again adds nothing.

    The configuration is frozen when the campaign is opened. Without --config, --models and --level a campaign keeps its own.
    """
    check_registered(runtime.database)
    check_styles(runtime.database, styles)
    options = CampaignOptions(name=campaign, config=config, models=models, levels=levels)
    chosen = chosen_campaign(runtime.database, options, dry_run=dry_run)
    check_not_cancelled(chosen)
    planned = plan_campaign(runtime.database, chosen, Selection(styles=styles, limit=limit, priority=priority), dry_run=dry_run)
    outlook = forecast(runtime.database, chosen.config, planned)
    if planned.jobs and not dry_run:
        notify_ready(runtime)
    if as_json:
        emit_json({"campaign": chosen.name, **asdict(planned), "forecast": asdict(outlook), "dry_run": dry_run})
    else:
        _show(console(), runtime, chosen, planned, outlook, dry_run=dry_run)


def _show(out: Console, runtime: Runtime, campaign: Campaign, planned: PlannedWork, outlook: Forecast, *, dry_run: bool) -> None:
    counts = f"{planned.artworks:,} artworks, {planned.variations:,} variations, {planned.jobs:,} jobs"
    verb = "would be added" if dry_run else "added"
    out.print(f"campaign {campaign.name}: {counts} {verb}" if planned.jobs else f"campaign {campaign.name}: nothing to add", soft_wrap=True)
    if planned.left_out:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in sorted(planned.left_out.items()))
        out.print(f"left out: {sum(planned.left_out.values()):,} artworks ({reasons})", markup=False, soft_wrap=True)
    if planned.without_picture:
        out.print(f"{planned.without_picture:,} wait for their original: run `paragone ingest` on the images", soft_wrap=True)
    if planned.jobs:
        _show_forecast(out, runtime, outlook)
    if campaign.state is CampaignState.PAUSED:
        out.print("the campaign is paused: `paragone resume`", style="yellow")
    elif planned.jobs and not dry_run:
        out.print("next: `paragone work` on each machine, `paragone status --watch` anywhere", style="dim", soft_wrap=True)


def _show_forecast(out: Console, runtime: Runtime, outlook: Forecast) -> None:
    out.print(f"disk: about {decimal(outlook.disk_bytes)} ({outlook.disk_basis})", soft_wrap=True)
    free = free_bytes(runtime.settings.store_location)
    if free is not None and free < outlook.disk_bytes:
        out.print(f"the store has only {decimal(free)} free: set PARAGONE_STORE_URL to a larger place", style="red", soft_wrap=True)
    if outlook.device_seconds is None:
        unknown = ", ".join(outlook.unmeasured)
        out.print(f"device time: unknown, nothing was measured yet for {unknown} with these models", soft_wrap=True)
    else:
        out.print(f"device time: about {format_duration(outlook.device_seconds)} of one device, by what was measured", soft_wrap=True)
