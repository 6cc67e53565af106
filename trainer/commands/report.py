"""`paragone report`: a page and a contact sheet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command("report", short_help="Write a page of repaints and results.")
@click.option("--campaign", "campaign_name", help="The campaign to show. [default: the latest]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the page. [default: in the data directory]")
@click.option("--json", "as_json", is_flag=True, help="Print the files' names as JSON.")
@click.pass_obj
def report(runtime: Runtime, *, campaign_name: str | None, out: Path | None, as_json: bool) -> None:
    """Write a page of originals, repaints, figures and training results."""
    from db.campaigns import find_campaign
    from db.monitoring.progress import progress
    from trainer.model_sources import are_untrained, models_directory
    from trainer.report import gather_report, write_report

    campaign = find_campaign(runtime.database, campaign_name)
    counts = progress(runtime.database, campaign.id, details=False).jobs
    untrained = are_untrained(models_directory(campaign.config, runtime.settings.models))
    content = gather_report(runtime.database, runtime.store, campaign, counts=counts, untrained=untrained)
    written = write_report(content, (out or runtime.settings.data_dir / "report" / campaign.name).expanduser().resolve())
    if as_json:
        files = {"page": str(written.page), "sheet": str(written.sheet), "curves": written.curves and str(written.curves)}
        click.echo(json.dumps({"campaign": campaign.name, **files}))
    else:
        click.echo(f"report: {written.page}")
