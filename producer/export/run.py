"""An export from plan to finished folder: piece by piece, each written whole and put into the manifest, so that it can be resumed."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from db.campaigns import find_campaign
from db.quality import check_values, lacking, where
from db.results.export_manifest import MANIFEST, ExportManifest, ExportShard, ExportSource, LeftOutPair, read_manifest
from db.results.export_rows import ExportSelection, count_images, rows_of
from producer.artworks import check_styles
from producer.errors import WrongUse
from producer.export.card import CARD, write_card
from producer.export.croissant import CROISSANT, write_croissant
from producer.export.destination import discard_export, open_destination
from producer.export.pictures import ExportedPair, PairReader
from producer.export.plan import plan_export
from producer.export.published_config import published_config
from producer.export.registry import load_format
from producer.export.setup import ExportSetup
from producer.export.shard_files import size_and_digest, write_text, write_whole

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from db.campaigns import Campaign
    from db.engine import Database
    from db.runtime import Runtime
    from producer.export.options import ExportOptions

#: Pairs whose images are read together: with images of 300 KB some 20 MB are held.
READ_TOGETHER = 32
READERS = 8


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """What was exported."""

    campaign: str
    format: str
    folder: str
    #: Pairs in the export.
    rows: int
    #: Split to pairs.
    splits: dict[str, int]
    #: Pieces: files, or folders of images.
    shards: int
    #: Pieces that an earlier, interrupted run had finished.
    resumed: int
    bytes: int
    #: Pairs that are not in it, because an image could not be had.
    left_out: int
    #: The first of them, with the reason.
    first_left_out: list[LeftOutPair]
    #: Repaints that lack a score which the filter names: they never fit.
    unscored: int


@dataclass(frozen=True, kw_only=True)
class _Shard:
    """A piece to be written."""

    name: str
    side: str
    #: Its images, and the place of the first of them on its side.
    image_ids: array[int]
    first: int


def export_campaign(
    runtime: Runtime, folder: Path, options: ExportOptions, watch: Callable[[ExportManifest], None] = lambda _: None
) -> ExportResult:
    """Export a campaign's pairs into a folder, or go on where an interrupted export of the same rows ended.

    Raises:
        UnknownCampaign, UnknownStyle, UnknownExportFormat: there is none of that name.
        BadFilter: `where` cannot be read, or names a level or style that nothing has.
        WrongUse: options do not fit together.
        ExportRefused: there is nothing to export, or the folder holds something else.
        StoreUnavailable: the store went away; what is finished stays.
    """
    campaign = find_campaign(runtime.database, options.campaign)
    _check(runtime.database, campaign, options)
    export_format = load_format(options.format)
    selection = ExportSelection(
        campaign_id=campaign.id,
        styles=options.styles,
        levels=options.levels,
        limit=options.limit,
        where=where(options.where) if options.where else None,
    )
    open_destination(folder)
    plan = plan_export(runtime.database, selection, options.split, options.split_seed)
    setup = ExportSetup(campaign=campaign, format=export_format, options=options, plan=plan)
    manifest = _begin(folder, setup)
    reader = PairReader(store=runtime.store, campaign=campaign.name, originals=options.originals, canvas=campaign.config.picture)
    resumed = 0
    for shard in _shards(setup):
        known = _finished(folder, manifest, shard)
        resumed += known is not None
        if known is None:
            known = _write(runtime.database, folder, setup, reader, shard)
            shards = (*(one for one in manifest.shards if one.name != shard.name), known)
            manifest = _save(folder, manifest.model_copy(update={"shards": shards}))
        watch(manifest)
    unscored = count_images(runtime.database, replace(selection, where=lacking(options.where))) if options.where else 0
    return _result(folder, _complete(runtime.database, folder, setup, manifest), resumed=resumed, unscored=unscored)


def _check(database: Database, campaign: Campaign, options: ExportOptions) -> None:
    check_styles(database, options.styles)
    if options.where:
        check_values(database, options.where)
    unknown = sorted(set(options.levels) - set(campaign.config.level))
    if unknown:
        raise WrongUse(f"--level: campaign {campaign.name!r} has no level {', '.join(unknown)}, only {', '.join(campaign.config.level)}")


def _begin(folder: Path, setup: ExportSetup) -> ExportManifest:
    """The manifest of this export: one that is there of the same rows, else a new one in an empty folder."""
    campaign, options, plan = setup.campaign, setup.options, setup.plan
    source = ExportSource(
        format=options.format,
        campaign=campaign.name,
        snapshot=plan.snapshot,
        rows=plan.rows,
        split=str(options.split),
        split_seed=options.split_seed,
        originals=options.originals.value,
        rows_per_shard=options.rows_per_shard,
        styles=options.styles,
        levels=options.levels,
        limit=options.limit,
        where=options.where,
    )
    known = read_manifest(folder)
    if known is not None and known.source == source:
        return known
    if known is not None:
        discard_export(folder, known, source, force=options.force)
    config = published_config(campaign.config)
    splits = {side: len(image_ids) for side, image_ids in plan.sides.items()}
    return _save(folder, ExportManifest(source=source, config_hash=campaign.config.config_hash, config=config, splits=splits))


def _shards(setup: ExportSetup) -> Iterator[_Shard]:
    size = setup.options.rows_per_shard
    for side, image_ids in setup.plan.sides.items():
        count = -(-len(image_ids) // size)
        for index in range(count):
            first = index * size
            name = setup.format.shard_name(side, index, count)
            yield _Shard(name=name, side=side, image_ids=image_ids[first : first + size], first=first)


def _finished(folder: Path, manifest: ExportManifest, shard: _Shard) -> ExportShard | None:
    """The piece as the manifest knows it, if it is whole; one that lacks pairs is tried again."""
    known = next((one for one in manifest.shards if one.name == shard.name), None)
    if known is None or known.left_out or not (folder / known.name).exists():
        return None
    return known if size_and_digest(folder / known.name) == (known.bytes, known.sha256) else None


def _write(database: Database, folder: Path, setup: ExportSetup, reader: PairReader, shard: _Shard) -> ExportShard:
    left_out: list[LeftOutPair] = []

    def pairs() -> Iterator[ExportedPair]:
        for found in _read(database, reader, shard):
            if isinstance(found, LeftOutPair):
                left_out.append(found)
            else:
                yield found

    path = folder / shard.name
    write_whole(path, lambda unfinished: setup.format.write(unfinished, pairs()))
    size, digest = size_and_digest(path)
    rows = len(shard.image_ids) - len(left_out)
    return ExportShard(name=shard.name, split=shard.side, rows=rows, bytes=size, sha256=digest, left_out=tuple(left_out))


def _read(database: Database, reader: PairReader, shard: _Shard) -> Iterator[ExportedPair | LeftOutPair]:
    """The pairs of a piece in order; a few are read at the same time."""
    numbers = itertools.count(shard.first)
    with ThreadPoolExecutor(READERS, thread_name_prefix="export") as threads:
        for start in range(0, len(shard.image_ids), READ_TOGETHER):
            rows = rows_of(database, shard.image_ids[start : start + READ_TOGETHER])
            yield from threads.map(lambda row, number: reader.read(row, number=number, split=shard.side), rows, numbers)


def _complete(database: Database, folder: Path, setup: ExportSetup, manifest: ExportManifest) -> ExportManifest:
    """What stands beside the pieces, and the manifest in the order of the pieces."""
    place = {shard.name: number for number, shard in enumerate(_shards(setup))}
    ordered = tuple(sorted((shard for shard in manifest.shards if shard.name in place), key=lambda shard: place[shard.name]))
    manifest = manifest.model_copy(update={"shards": ordered, "complete": True})
    setup.format.finish(folder, ordered)
    write_text(folder / CARD, write_card(database, setup, manifest))
    write_text(folder / CROISSANT, write_croissant(setup, manifest))
    return _save(folder, manifest)


def _save(folder: Path, manifest: ExportManifest) -> ExportManifest:
    write_text(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    return manifest


def _result(folder: Path, manifest: ExportManifest, *, resumed: int, unscored: int) -> ExportResult:
    splits = dict.fromkeys(manifest.splits, 0)
    for shard in manifest.shards:
        splits[shard.split] += shard.rows
    return ExportResult(
        campaign=manifest.source.campaign,
        format=manifest.source.format,
        folder=str(folder),
        rows=manifest.rows,
        splits=splits,
        shards=len(manifest.shards),
        resumed=resumed,
        bytes=sum(shard.bytes for shard in manifest.shards),
        left_out=len(manifest.left_out),
        first_left_out=manifest.left_out[:20],
        unscored=unscored,
    )
