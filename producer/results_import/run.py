"""An import from the file to the database: rows are joined, repaints opened, and a few hundred results written at a time.

One that was interrupted is completed by running it again: what is there already is recognised by the hash of its file, not opened again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from db.campaigns import Campaign, all_campaigns, imported_config, is_imported, open_campaign
from db.campaigns.imported import UNKNOWN_MODEL
from db.catalogue.names import named_artworks
from db.enums import CampaignState, Stage
from db.images import content_hash
from db.jobs.import_results import finish_import, write_imported
from db.results.imported import HeldResults, ImportedPrompt, ImportedResult, ImportedText, ImportOutcome, held_results
from producer.artworks import check_registered
from producer.campaign_options import CampaignOptions, checked_name, chosen_campaign
from producer.errors import WrongUse
from producer.image_import import ImageImporter
from producer.notify import notify_ready
from producer.results_import.canvas import CanvasChoice
from producer.results_import.originals import OriginalIndex
from producer.results_import.outcomes import ImportReport, RowOutcome, SkippedRow, Tally, report, write_skipped
from producer.results_import.plan import UNKNOWN_LEVEL, PlannedResult, ResultPlanner
from producer.results_import.repaint_files import RepaintFiles
from producer.results_import.repaints import RepaintImporter, read_repaint
from producer.results_import.rows import open_results

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from db.results.imported import HeldVariation, ImportedRepaint
    from db.runtime import Runtime
    from producer.results_import.rows import ResultsFile

#: The campaign of imported results, unless one is named.
DEFAULT_CAMPAIGN = "imported"
#: Rows in one transaction: the most that an interrupted import has to repeat.
AT_ONCE = 200

_OUTCOMES = {
    ImportOutcome.ADDED: RowOutcome.ADDED,
    ImportOutcome.SUPERSEDED: RowOutcome.SUPERSEDED,
    ImportOutcome.UNCHANGED: RowOutcome.UNCHANGED,
}
_REFUSED = {
    ImportOutcome.CANCELLED: SkippedRow(RowOutcome.CANCELLED, "one of its jobs was cancelled, which is final"),
    ImportOutcome.NOT_PLANNED: SkippedRow(
        RowOutcome.NOT_PLANNED, "the campaign makes its own results and has not planned this artwork: run `paragone enqueue` first"
    ),
}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What the operator says of a results file."""

    file: Path
    #: Folder of the repaints; None for the file's own.
    repaints: Path | None = None
    #: Name of the campaign that takes them; None for "imported", or that of the campaign file.
    campaign: str | None = None
    #: A campaign file, or the name of one that ships: what is missing can be made by its models then.
    config: str | None = None
    #: The level of rows that tell none.
    level: str = ""
    #: Our names of facts to the file's columns, where they have no usual name.
    columns: Mapping[str, str] = field(default_factory=dict)
    #: Where the results are from; empty for the file's name.
    source: str = ""
    #: Stage to the model that made its results, where that is known.
    models: Mapping[Stage, str] = field(default_factory=dict)
    canvas: CanvasChoice = CanvasChoice.AUTO

    @property
    def told_source(self) -> str:
        """Where the results are from."""
        return self.source.strip() or self.file.name


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
    results = open_results(options.file, options.columns)
    check_registered(runtime.database)
    tally = Tally()
    present = _present_campaign(runtime, options, dry_run=dry_run)
    planned = _plan(runtime, options, results, tally, None if present is None else set(present.config.level))
    campaign = present or _opened(runtime, options, {one.level for one in planned if one.has_variation}, dry_run=dry_run)
    if not dry_run:
        runtime.store.check()
    _Importer(runtime, options, campaign, tally, dry_run=dry_run).run(planned, watch)
    if not dry_run:
        finish_import(runtime.database)
        if not is_imported(campaign.config):
            notify_ready(runtime)
    return report(
        tally,
        campaign=campaign.name,
        source=options.told_source,
        columns=dict(results.columns),
        unread_columns=list(results.unread),
        skipped_file=None if dry_run else _skipped_file(runtime, tally),
        dry_run=dry_run,
    )


def _plan(
    runtime: Runtime, options: ImportOptions, results: ResultsFile, tally: Tally, levels: Collection[str] | None
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
    return next((campaign for campaign in all_campaigns(runtime.database) if campaign.name == name), None)


def _opened(runtime: Runtime, options: ImportOptions, levels: Collection[str], *, dry_run: bool) -> Campaign:
    name, config = options.campaign or DEFAULT_CAMPAIGN, imported_config(levels or {options.level or UNKNOWN_LEVEL})
    if dry_run:
        return Campaign(id=0, name=name, config=config, state=CampaignState.OPEN)
    return open_campaign(runtime.database, name, config)


def _skipped_file(runtime: Runtime, tally: Tally) -> str | None:
    if not tally.told:
        return None
    path = runtime.settings.data_dir / "reports" / f"import-{datetime.now(UTC):%Y%m%d-%H%M%S}-skipped.csv"
    write_skipped(tally.told, path)
    return str(path)


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A row after its repaint was opened."""

    planned: PlannedResult
    #: None if nothing of it is to be written.
    result: ImportedResult | None = None
    skipped: SkippedRow | None = None
    form: str = ""


class _Importer:
    """Takes in planned rows, some at a time."""

    def __init__(self, runtime: Runtime, options: ImportOptions, campaign: Campaign, tally: Tally, *, dry_run: bool) -> None:
        self._runtime = runtime
        self._options = options
        self._campaign = campaign
        self._tally = tally
        self._dry_run = dry_run
        self._repaints = RepaintImporter(store=runtime.store, choice=options.canvas, canvas=campaign.config.picture, keep=not dry_run)

    def run(self, planned: Sequence[PlannedResult], watch: Callable[[int, int], None] | None) -> None:
        """All of them, in their order."""
        with ThreadPoolExecutor(ImageImporter.threads, thread_name_prefix="results-import") as pool:
            for start in range(0, len(planned), AT_ONCE):
                some = planned[start : start + AT_ONCE]
                held = held_results(self._runtime.database, self._campaign.id, sorted({one.artwork.id for one in some}))
                lost = self._lost(held)
                opened = list(pool.map(partial(self._open, held=held, lost=lost), some))
                self._write(opened)
                if watch is not None:
                    watch(start + len(some), len(planned))

    def _lost(self, held: HeldResults) -> set[str]:
        """Repaints of earlier imports that the store does not hold any more."""
        hashes = {variation.content_hash for variation in held.variations.values() if variation.content_hash}
        return self._runtime.store.missing(hashes) if hashes else set()

    def _open(self, planned: PlannedResult, *, held: HeldResults, lost: Collection[str]) -> _Opened:
        try:
            data = None if planned.file is None else read_repaint(planned.file)
            if self._is_unchanged(planned, data, held, lost):
                return _Opened(planned=planned)
            repaint = self._repaint(planned, data)
        except SkippedRow as skipped:
            return _Opened(planned=planned, result=self._caption_alone(planned), skipped=skipped)
        form = "" if repaint is None else repaint.provenance["canvas_form"]
        return _Opened(planned=planned, result=self._result(planned, repaint), form=form)

    def _is_unchanged(self, planned: PlannedResult, data: bytes | None, held: HeldResults, lost: Collection[str]) -> bool:
        """Whether the database holds all that a row tells."""
        artwork = planned.artwork
        if planned.caption and held.captions.get(artwork.id) != planned.caption:
            return False
        if not planned.has_variation:
            return True
        there = held.variations.get((artwork.id, planned.level, planned.ordinal))
        if there is None or _texts_differ(planned, there):
            return False
        if data is None:
            return True
        published = {"source_hash": content_hash(data), "canvas_choice": str(self._options.canvas), "original": artwork.content_hash}
        kept = {name: there.provenance.get(name) for name in published}
        return there.content_hash is not None and there.content_hash not in lost and published == kept

    def _repaint(self, planned: PlannedResult, data: bytes | None) -> ImportedRepaint | None:
        if planned.file is None or data is None:
            return None
        facts: dict[str, Any] = {
            "artwork": planned.artwork.key,
            "level": planned.level,
            "model": self._model(Stage.GENERATE),
            "revision": "",
            "prompt": _prompt_texts(planned)[1],
            "imported_from": self._options.told_source,
        }
        if planned.row.seed is not None:
            facts["seed"] = planned.row.seed
        return self._repaints.take_in(data, planned.file, planned.artwork, facts)

    def _result(self, planned: PlannedResult, repaint: ImportedRepaint | None) -> ImportedResult:
        draft, text = _prompt_texts(planned)
        prompt = None
        if text:
            prompt = ImportedPrompt(draft=draft, text=text, model=self._model(Stage.PROMPT), origin=self._origin)
        recaption = planned.row.recaption if repaint is not None else ""
        return ImportedResult(
            artwork_id=planned.artwork.id,
            artwork_key=planned.artwork.key,
            level=planned.level,
            ordinal=planned.ordinal,
            seed=planned.row.seed,
            caption=self._text(planned.caption, Stage.CAPTION),
            prompt=prompt,
            repaint=repaint,
            recaption=self._text(recaption, Stage.RECAPTION),
        )

    def _caption_alone(self, planned: PlannedResult) -> ImportedResult | None:
        """What is left of a row whose repaint is not taken in: a later row that tells the same caption counts on it."""
        caption = self._text(planned.caption, Stage.CAPTION)
        if caption is None:
            return None
        artwork = planned.artwork
        return ImportedResult(artwork_id=artwork.id, artwork_key=artwork.key, level=planned.level, ordinal=planned.ordinal, caption=caption)

    def _write(self, opened: Sequence[_Opened]) -> None:
        """One transaction; then what became of its rows is counted."""
        written = [one for one in opened if one.result is not None]
        results = [one.result for one in written if one.result is not None]
        outcomes: list[ImportOutcome] = []
        if self._dry_run:
            outcomes = [ImportOutcome.ADDED] * len(results)
        elif results:
            outcomes = write_imported(self._runtime.database, self._campaign.id, results)
        became = {one.planned.row.number: outcome for one, outcome in zip(written, outcomes, strict=True)}
        for one in opened:
            self._count(one, became.get(one.planned.row.number, ImportOutcome.UNCHANGED))

    def _count(self, one: _Opened, outcome: ImportOutcome) -> None:
        row = one.planned.row
        skipped = one.skipped or _REFUSED.get(outcome)
        if skipped is not None:
            self._tally.skip(number=row.number, original=row.original, repaint=row.repaint, skipped=skipped)
            return
        self._tally.count(_OUTCOMES[outcome])
        if one.form:
            self._tally.canvases[one.form] += 1

    @property
    def _origin(self) -> str:
        return f"imported from {self._options.told_source}"

    def _model(self, stage: Stage) -> str:
        return self._options.models.get(stage, UNKNOWN_MODEL)

    def _text(self, text: str, stage: Stage) -> ImportedText | None:
        return ImportedText(text=text, model=self._model(stage), origin=self._origin) if text else None


def _prompt_texts(planned: PlannedResult) -> tuple[str, str]:
    """Draft and text; a file that tells one of them alone means both by it."""
    row = planned.row
    return row.draft or row.prompt, row.prompt or row.draft


def _texts_differ(planned: PlannedResult, there: HeldVariation) -> bool:
    """Whether the row tells another seed, prompt or caption of the repaint than the database."""
    row = planned.row
    seed = row.seed is not None and row.seed != there.seed
    prompt = bool(row.prompt or row.draft) and (there.draft, there.prompt) != _prompt_texts(planned)
    return seed or prompt or (bool(row.recaption) and row.recaption != there.recaption)


def parse_model_options(options: Sequence[str]) -> dict[Stage, str]:
    """`STAGE=MODEL` as a mapping; raises `WrongUse`."""
    found: dict[Stage, str] = {}
    for option in options:
        stage, separator, model = option.partition("=")
        if not separator or not model.strip() or stage.strip() not in set(Stage):
            raise WrongUse(f"--model {option}: write it as STAGE=MODEL, with a stage of {', '.join(Stage)}")
        found[Stage(stage.strip())] = model.strip()
    return found
