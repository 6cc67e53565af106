"""From a catalogue to the database: read, clean, open every image, upsert, report."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from db.catalogue.queries import known_paths
from db.catalogue.types import ArtworkPath, CatalogueArtwork, CatalogueChanges
from db.catalogue.upsert import TRANSACTION, save_ingest_report, upsert_artworks
from producer.cleaning import clean_artwork, join_catalogue, reconcile, style_name
from producer.cleaning.report_builder import ReportBuilder
from producer.image_import import ImageImporter, ImportedArtwork
from producer.readers import read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from db.catalogue.types import KnownPath
    from db.engine import Database
    from db.store import Store
    from producer.cleaning import ArtworkCopy
    from producer.cleaning.report import CleaningReport

#: Artworks written in one transaction while images are opened: the most that an interrupted ingest has to repeat.
WITH_IMAGES = 900


@dataclass(frozen=True, kw_only=True)
class CatalogueSource:
    """What the operator names: the catalogue, and where its images are."""

    catalogue: Path
    #: Which column holds what, where the usual names do not say it.
    columns: Mapping[str, str] = field(default_factory=dict)
    #: Folders of the image root that are not looked into: Paragone's own.
    exclude: tuple[Path, ...] = ()
    images: Path | None = None
    file_list: Path | None = None


def ingest_catalogue(
    source: CatalogueSource,
    *,
    database: Database,
    store: Store | None,
    charts: Path | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> CleaningReport:
    """Register a catalogue and keep the report; a second ingest registers only what is new, repaired or changed.

    Originals that the store has lost are put back.

    Args:
        source: the catalogue and its images.
        database: where artworks are registered.
        store: where images are copied; None leaves them where they are and stores links.
        charts: folder for the report's charts; None draws none.
        watch: called after each artwork with the number done and the total.

    Raises:
        CatalogueUnreadable: the catalogue cannot be read as a whole.
        StoreUnavailable: the store is away, full, or another one than the database knows.
    """
    if store is not None:
        store.check()
    with _read_and_clean(source) as builder:
        on_disk = builder.catalogue.on_disk
        known = known_paths(database) if on_disk else {}
        importer = ImageImporter(known=known, store=store, link=store is None, lost=_lost(known, store))
        artworks = (_catalogue_artwork(imported) for imported in _import(importer, builder, watch))
        changes = upsert_artworks(database, artworks, at_once=WITH_IMAGES if on_disk else TRANSACTION)
        report = builder.report(changes)
    if charts is not None:
        from producer.cleaning.charts import draw_charts  # matplotlib takes a second

        drawn = draw_charts(report, charts / f"ingest-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        report = replace(report, charts=[str(path) for path in drawn])
    save_ingest_report(database, str(source.catalogue.resolve()), report.as_json())
    return report


def _lost(known: Mapping[str, KnownPath], store: Store | None) -> set[str]:
    """Originals that should be in the store, which was emptied or replaced since."""
    if store is None:
        return set()
    return store.missing({path.content_hash for path in known.values() if path.content_hash and path.link is None})


def dry_run_ingest(source: CatalogueSource, *, watch: Callable[[int, int], None] | None = None) -> CleaningReport:
    """The report that an ingest into an empty database would give: every image is opened, nothing is written."""
    with _read_and_clean(source) as builder:
        for _ in _import(ImageImporter(known={}, store=None, link=False), builder, watch):
            pass
        return builder.report(CatalogueChanges())


@contextmanager
def _read_and_clean(source: CatalogueSource) -> Iterator[ReportBuilder]:
    """Read, join and clean, without the garbage collector: it would spend a third of the time on objects that live until the end."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        catalogue = read_catalogue(
            source.catalogue, images=source.images, file_list=source.file_list, columns=source.columns, exclude=source.exclude
        )
        joined = join_catalogue(catalogue)
        artworks = [clean_artwork(artwork) for artwork in joined]
        builder = ReportBuilder(catalogue=catalogue, reconciliation=reconcile(catalogue, joined), artworks=artworks)
        gc.freeze()
        if collecting:
            gc.enable()
        yield builder
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()


def _import(importer: ImageImporter, builder: ReportBuilder, watch: Callable[[int, int], None] | None) -> Iterator[ImportedArtwork]:
    artworks = builder.artworks
    for done, imported in enumerate(importer.import_all(artworks), start=1):
        builder.add(imported)
        if watch is not None:
            watch(done, len(artworks))
        yield imported


def _catalogue_artwork(imported: ImportedArtwork) -> CatalogueArtwork:
    artwork = imported.artwork
    return CatalogueArtwork(
        key=artwork.key,
        artist=artwork.artist,
        title=artwork.title,
        style=artwork.style,
        styles=artwork.styles,
        subset=artwork.subset,
        incomplete=artwork.incomplete,
        extra=artwork.extra,
        listed=artwork.listed,
        paths=tuple(_artwork_path(copy, imported) for copy in artwork.copies),
        picture=imported.image,
    )


def _artwork_path(copy: ArtworkCopy, imported: ImportedArtwork) -> ArtworkPath:
    # A file that could not be read is opened again next time, whatever its modification time: rights change without it.
    read = imported.image is not None and copy.file.path not in imported.unreadable
    return ArtworkPath(
        path=copy.file.path,
        style=style_name(copy.name.folder),
        repaired=copy.repaired,
        byte_size=copy.file.byte_size if read else None,
        modified_ns=copy.file.modified_ns if read else None,
    )
