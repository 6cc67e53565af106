"""From a catalogue to the database: read, clean, open every image, upsert, report."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from db.catalogue.queries import facts_of_paths, known_image_roots, known_paths
from db.catalogue.recognise import recognise_unregistered
from db.catalogue.types import CatalogueChanges, RecognisedArtworks
from db.catalogue.upsert import TRANSACTION, save_ingest_report, upsert_artworks
from producer.catalogue_artworks import ArtworkSplitter, OperatorFacts
from producer.cleaning import clean_artwork, join_catalogue, reconcile
from producer.cleaning.report_builder import ReportBuilder
from producer.image_import import ImageImporter
from producer.readers import read_catalogue
from producer.template import check_template, write_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from db.catalogue.types import CatalogueArtwork, KnownPath
    from db.engine import Database
    from db.store import Store
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
    #: What is true of every artwork whose artist or style is not known.
    given: OperatorFacts = field(default_factory=OperatorFacts)

    @property
    def image_root(self) -> Path:
        """The folder that paths are relative to, unless the format says otherwise."""
        return self.images or (self.catalogue if self.catalogue.is_dir() else self.catalogue.parent)


def ingest_catalogue(
    source: CatalogueSource,
    *,
    database: Database,
    store: Store | None,
    charts: Path | None = None,
    template: Path | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> CleaningReport:
    """Register a catalogue and keep the report; a second ingest registers only what is new, repaired or changed.

    Originals that the store has lost are put back.

    Args:
        source: the catalogue and its images.
        database: where artworks are registered.
        store: where images are copied; None leaves them where they are and stores links.
        charts: folder for the report's charts; None draws none.
        template: a CSV to write with one row for each picture and what is known of it, to be filled in and ingested; None writes none.
        watch: called after each artwork with the number done and the total.

    Raises:
        CatalogueUnreadable: the catalogue cannot be read as a whole.
        StoreUnavailable: the store is away, full, or another one than the database knows.
        WrongUse: the template exists already.
    """
    if template is not None:
        check_template(template)
    if store is not None:
        store.check()
    with _read_and_clean(source) as builder:
        on_disk = builder.catalogue.on_disk
        known = known_paths(database) if on_disk else {}
        importer = ImageImporter(known=known, store=store, link=store is None, lost=_lost(known, store))
        artworks = _import(importer, builder, ArtworkSplitter(known=known, given=source.given), watch)
        recognised = RecognisedArtworks()
        changes = upsert_artworks(
            database,
            artworks,
            at_once=WITH_IMAGES if on_disk else TRANSACTION,
            recognised=recognised,
            may_replace=bool({str(source.image_root.resolve()), None} & known_image_roots(database)),
        )
        report = builder.report(changes, recognised)
        if template is not None:
            write_template(template, facts_of_paths(database, builder.paths))
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
        importer = ImageImporter(known={}, store=None, link=False)
        recognised = recognise_unregistered(_import(importer, builder, ArtworkSplitter(known={}, given=source.given), watch))
        return builder.report(CatalogueChanges(), recognised)


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
        artworks = [source.given.fill(clean_artwork(artwork)) for artwork in joined]
        builder = ReportBuilder(
            catalogue=catalogue,
            reconciliation=reconcile(catalogue, joined),
            artworks=artworks,
            image_root=str(source.image_root.resolve()) if catalogue.on_disk else "",
        )
        gc.freeze()
        if collecting:
            gc.enable()
        yield builder
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()


def _import(
    importer: ImageImporter, builder: ReportBuilder, splitter: ArtworkSplitter, watch: Callable[[int, int], None] | None
) -> Iterator[CatalogueArtwork]:
    artworks = builder.artworks
    for done, imported in enumerate(importer.import_all(artworks), start=1):
        pictures = splitter.split(imported)
        builder.add(imported, other_pictures=sum(len(one.paths) for one in pictures[1:]))
        if watch is not None:
            watch(done, len(artworks))
        yield from pictures
