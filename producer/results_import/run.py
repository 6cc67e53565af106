"""An import from the file to the database: rows are joined, repaints opened, and their results written.

One that was interrupted is completed by running it again: what is there already is recognised by the hash of its file, not opened again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from db.campaigns import Campaign, all_campaigns, check_not_cancelled, imported_config, is_imported, open_campaign
from db.campaigns.imported import add_levels
from db.catalogue.names import named_artworks
from db.enums import CampaignState
from db.jobs.import_results import finish_import
from producer.artworks import check_registered
from producer.campaign_options import CampaignOptions, checked_name, chosen_campaign
from producer.errors import WrongUse
from producer.notify import notify_ready
from producer.results_import.importer import ResultImporter
from producer.results_import.originals import OriginalIndex
from producer.results_import.outcomes import ImportReport, ResultCounts, report, write_skipped
from producer.results_import.plan import UNKNOWN_LEVEL, PlannedResult, ResultPlanner
from producer.results_import.repaint_files import RepaintFiles
from producer.results_import.result_rows import level_fault, open_results

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from db.runtime import Runtime
    from producer.results_import.options import ImportOptions
    from producer.results_import.result_rows import ResultsFile

#: The campaign of imported results, unless one is named.
DEFAULT_CAMPAIGN = "imported"


def import_results(
    runtime: Runtime, options: ImportOptions, *, dry_run: bool = False, watch: Callable[[int, int], None] | None = None
) -> ImportReport:
    """Take in what a results file and its repaints hold; doing it again changes nothing.

    `watch` is called with the number of rows done and the total, of those that name an artwork.

    Raises:
        CatalogueUnreadable, ResultsUnreadable: the file or the folder cannot be read as a whole.
        NothingRegistered: there is no artwork yet.
        CampaignDiffers, CampaignCancelled, BadConfiguration, WrongUse: the options cannot be used.
        StoreUnavailable: the store is away.
    """
    if fault := level_fault(options.level):
        raise WrongUse(f"--level: {fault}")
    results = open_results(options.file, options.columns)
    check_registered(runtime.database)
    tally = ResultCounts()
    present = _present_campaign(runtime, options, dry_run=dry_run)
    own_levels = present is not None and not is_imported(present.config)
    planned = _plan(runtime, options, results, tally, set(present.config.level) if present is not None and own_levels else None)
    name = present.name if present is not None else options.campaign or DEFAULT_CAMPAIGN
    if planned:
        levels = {one.level for one in planned if one.has_variation}
        campaign = _with_levels(runtime, name, present, levels, dry_run=dry_run)
        importer = ResultImporter(runtime, options, campaign, tally, dry_run=dry_run)
        if not dry_run:
            runtime.store.check()
        importer.run(planned, watch)
        if not dry_run:
            _finish(runtime, campaign)
    return report(
        tally,
        campaign=name,
        source=options.told_source,
        columns=dict(results.columns),
        unread_columns=list(results.unread),
        skipped_file=None if dry_run else _skipped_file(runtime, tally),
        dry_run=dry_run,
    )


def _finish(runtime: Runtime, campaign: Campaign) -> None:
    finish_import(runtime.database)
    if not is_imported(campaign.config):  # what is missing can be made
        notify_ready(runtime)


def _plan(
    runtime: Runtime, options: ImportOptions, results: ResultsFile, tally: ResultCounts, levels: Collection[str] | None
) -> list[PlannedResult]:
    names_repaints = "repaint" in results.columns
    files = RepaintFiles(options.repaints or options.file.parent) if names_repaints or options.repaints else None
    planner = ResultPlanner(
        originals=OriginalIndex(named_artworks(runtime.database)),
        files=files,
        names_repaints=names_repaints,
        level=options.level,
        levels=levels,
        tally=tally,
    )
    return planner.plan(results.rows())


def _present_campaign(runtime: Runtime, options: ImportOptions, *, dry_run: bool) -> Campaign | None:
    """The campaign that is there, or that a campaign file describes; None if one of imported results is to be opened."""
    if options.config is not None:
        return chosen_campaign(runtime.database, CampaignOptions(name=options.campaign, config=options.config), dry_run=dry_run)
    name = checked_name(options.campaign or DEFAULT_CAMPAIGN)
    found = next((campaign for campaign in all_campaigns(runtime.database) if campaign.name == name), None)
    if found is not None:
        check_not_cancelled(found)
    return found


def _with_levels(runtime: Runtime, name: str, present: Campaign | None, levels: Collection[str], *, dry_run: bool) -> Campaign:
    """The campaign that takes results of these levels: opened if it is new, widened if it holds imported results."""
    if present is None:
        config = imported_config(levels or {UNKNOWN_LEVEL})  # a campaign has at least one
        return (
            Campaign(id=0, name=name, config=config, state=CampaignState.OPEN) if dry_run else open_campaign(runtime.database, name, config)
        )
    if dry_run:
        return present
    return add_levels(runtime.database, present, levels) if is_imported(present.config) else present


def _skipped_file(runtime: Runtime, tally: ResultCounts) -> str | None:
    if not tally.told:
        return None
    path = runtime.settings.data_dir / "reports" / f"import-{datetime.now(UTC):%Y%m%d-%H%M%S}-skipped.csv"
    write_skipped(tally.told, path)
    return str(path)
