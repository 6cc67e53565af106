"""`paragone report`: a page and a sheet to look at."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trainer.commands.context import Runtime, pass_runtime


@click.command("report")
@click.option("--campaign", "campaign_name", help="The campaign to show; the latest if not named.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the page goes; in the data directory if not named.")
@click.option("--json", "as_json", is_flag=True, help="Print the files' names as JSON.")
@pass_runtime
def report(runtime: Runtime, *, campaign_name: str | None, out: Path | None, as_json: bool) -> None:
    """Write a page with originals beside repaints, the facts of the campaign and what was learned."""
    from db.campaigns import find_campaign
    from db.monitoring.progress import progress
    from trainer.report import gather_report, write_report
    from trainer.sources import are_untrained, models_directory

    campaign = find_campaign(runtime.database, campaign_name)
    counts = progress(runtime.database, campaign.id, details=False).jobs
    untrained = are_untrained(models_directory(campaign.config, runtime.settings.models))
    facts = gather_report(runtime.database, runtime.store, campaign, counts=counts, untrained=untrained)
    written = write_report(facts, (out or runtime.settings.data_dir / "report" / campaign.name).expanduser().resolve())
    if as_json:
        files = {"page": str(written.page), "sheet": str(written.sheet), "curves": written.curves and str(written.curves)}
        click.echo(json.dumps({"campaign": campaign.name, **files}))
    else:
        click.echo(f"report: {written.page}")
