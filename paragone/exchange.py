"""The data of a project in and out: results that were made elsewhere, and the data set as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from producer.errors import WrongUse
from producer.export.options import ROWS_PER_SHARD, ExportOptions, ExportSplit, OriginalsAs
from producer.export.run import ExportResult, export_campaign
from producer.results_import import ImportOptions, ImportReport, import_results
from producer.results_import.canvas import CanvasChoice
from producer.results_import.columns import parse_column_options
from producer.results_import.options import parse_model_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from db.runtime import Runtime


class DataExchange:
    """What a project takes in beside catalogues, and what it gives out."""

    _runtime: Runtime

    def export(
        self,
        folder: str | Path,
        format: str = "parquet",  # noqa: A002  # as the option is called
        campaign: str | None = None,
        *,
        originals: str = "as-is",
        split: str = "none",
        split_seed: int = 0,
        styles: Iterable[str] = (),
        levels: Iterable[str] = (),
        where: str = "",
        limit: int | None = None,
        rows_per_shard: int = ROWS_PER_SHARD,
        license: str | None = None,  # noqa: A002  # as the option is called
        force: bool = False,
    ) -> ExportResult:
        """Write the data set of a campaign (the latest, if not named) as files; interrupted, the same call goes on where it ended.

        Args:
            folder: where it is written.
            format: "csv", "parquet", "webdataset", "hf", "imagefolder", or one that an installed package adds.
            campaign: its name.
            originals: "as-is", the registered files, or "prepared", upright RGB at the repaint's size.
            split: "none", "catalogue" (its own subset), or percents such as "80/10/10".
            split_seed: decides who is on which side.
            styles: only artworks of these styles.
            levels: only these levels.
            where: only repaints whose scores fit this filter, such as "similarity < 0.97".
            limit: only the first pairs.
            rows_per_shard: pairs in one file, or in one folder of images.
            license: of the data set, for its card.
            force: replace an export of other rows that is there.

        Returns:
            What was written; `left_out` counts pairs whose images could not be had.

        Raises:
            ExportRefused: there is nothing to export, or the folder holds something else.
            WrongUse, BadFilter, UnknownStyle, UnknownExportFormat: an argument that means nothing.
        """
        options = ExportOptions(
            format=format,
            campaign=campaign,
            originals=_originals(originals),
            split=_split(split),
            split_seed=split_seed,
            styles=tuple(styles),
            levels=tuple(levels),
            limit=limit,
            rows_per_shard=rows_per_shard,
            force=force,
            license=license,
            where=where,
        )
        return export_campaign(self._runtime, Path(folder).expanduser(), options)

    def import_results(
        self,
        file: str | Path,
        repaints: str | Path | None = None,
        campaign: str | None = None,
        *,
        config: str | Path | None = None,
        level: str = "",
        columns: Mapping[str, str] | None = None,
        source: str = "",
        models: Mapping[str, str] | None = None,
        canvas: str = "auto",
        dry_run: bool = False,
    ) -> ImportReport:
        """Take in captions, prompts and repaints that were made elsewhere, as finished jobs; doing it again changes nothing.

        Args:
            file: a CSV (also .gz) that lists them, of artworks that are registered.
            repaints: folder of the repaints; the file's own if not given.
            campaign: the campaign that takes them; "imported" if not given.
            config: a campaign file whose models make what is missing; without it nothing is ever made.
            level: of rows that tell none.
            columns: which column holds a fact, such as {"caption": "description"}.
            source: where the results are from, for their provenance; the file's name if not given.
            models: which model made the results of a stage, such as {"caption": "Salesforce/blip2-opt-2.7b"}.
            canvas: what square repaints of other originals are: "auto", "letterbox", "stretch", or to be kept ("as-is").
            dry_run: read, join, open and report, but write nothing.

        Raises:
            CatalogueUnreadable, ResultsUnreadable: the file or the folder cannot be read as a whole.
            NothingRegistered: there is no artwork yet.
            CampaignDiffers, CampaignCancelled, BadConfiguration, WrongUse: the options cannot be used.
        """
        options = ImportOptions(
            file=Path(file),
            repaints=None if repaints is None else Path(repaints),
            campaign=campaign,
            config=None if config is None else str(config),
            level=level.strip().casefold(),
            columns=parse_column_options([f"{ours}={theirs}" for ours, theirs in (columns or {}).items()]),
            source=source,
            models=parse_model_options([f"{stage}={model}" for stage, model in (models or {}).items()]),
            canvas=_canvas(canvas),
        )
        return import_results(self._runtime, options, dry_run=dry_run)


def _originals(named: str) -> OriginalsAs:
    if named not in set(OriginalsAs):
        raise WrongUse(f"originals cannot be {named!r}, only {' or '.join(OriginalsAs)}")
    return OriginalsAs(named)


def _split(text: str) -> ExportSplit:
    try:
        return ExportSplit.parse(text)
    except ValueError as error:
        raise WrongUse(str(error)) from None


def _canvas(named: str) -> CanvasChoice:
    if named not in set(CanvasChoice):
        raise WrongUse(f"canvas cannot be {named!r}, only {', '.join(CanvasChoice)}")
    return CanvasChoice(named)
