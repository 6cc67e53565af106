"""Planned rows into a campaign, a few hundred at a time: repaints are opened in threads, then one transaction writes what is new."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from db.campaigns.imported import UNKNOWN_MODEL
from db.enums import Stage
from db.images import content_hash
from db.jobs.import_results import write_imported
from db.results.imported import ImportedPrompt, ImportedResult, ImportedText, ImportOutcome, held_results
from producer.image_import import ImageImporter
from producer.results_import.outcomes import ResultRowOutcome, SkippedRow
from producer.results_import.repaints import RepaintImporter, read_repaint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from db.campaigns import Campaign
    from db.results.imported import HeldResults, HeldVariation, ImportedRepaint
    from db.runtime import Runtime
    from producer.results_import.options import ImportOptions
    from producer.results_import.outcomes import ResultCounts
    from producer.results_import.plan import PlannedResult

#: Rows in one transaction: the most that an interrupted import has to repeat.
AT_ONCE = 200

_OUTCOMES = {
    ImportOutcome.ADDED: ResultRowOutcome.ADDED,
    ImportOutcome.SUPERSEDED: ResultRowOutcome.SUPERSEDED,
    ImportOutcome.UNCHANGED: ResultRowOutcome.UNCHANGED,
}
_REFUSED = {
    ImportOutcome.CANCELLED: SkippedRow(ResultRowOutcome.CANCELLED, "one of its jobs was cancelled, which is final"),
    ImportOutcome.NOT_PLANNED: SkippedRow(
        ResultRowOutcome.NOT_PLANNED, "the campaign makes its own results and has not planned this artwork: run `paragone enqueue` first"
    ),
}


@dataclass(frozen=True, kw_only=True)
class _OpenedRow:
    """A row after its repaint was opened."""

    planned: PlannedResult
    #: None if nothing of it is to be written.
    result: ImportedResult | None = None
    skipped: SkippedRow | None = None
    form: str = ""


class ResultImporter:
    """Takes in planned rows, some at a time."""

    def __init__(self, runtime: Runtime, options: ImportOptions, campaign: Campaign, tally: ResultCounts, *, dry_run: bool) -> None:
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

    def _open(self, planned: PlannedResult, *, held: HeldResults, lost: Collection[str]) -> _OpenedRow:
        try:
            data = None if planned.file is None else read_repaint(planned.file)
            if self._is_unchanged(planned, data, held, lost):
                return _OpenedRow(planned=planned)
            repaint = self._repaint(planned, data)
        except SkippedRow as skipped:
            return _OpenedRow(planned=planned, result=self._caption_alone(planned), skipped=skipped)
        form = "" if repaint is None else repaint.provenance["canvas_form"]
        return _OpenedRow(planned=planned, result=self._result(planned, repaint), form=form)

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

    def _write(self, opened: Sequence[_OpenedRow]) -> None:
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

    def _count(self, one: _OpenedRow, outcome: ImportOutcome) -> None:
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
