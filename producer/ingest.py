"""A catalogue into the record: read, clean, open every picture, register, report."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from db.catalogue.queries import known_paths
from db.catalogue.types import ArtworkPath, CatalogueArtwork, CatalogueChanges
from db.catalogue.upsert import TRANSACTION, save_ingest_report, upsert_artworks
from producer.cleaning import clean, join, reconcile, style_name
from producer.cleaning.report import CleaningReport, ReportBuilder
from producer.image_import import ImageImporter, ImportedArtwork
from producer.readers import read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from db.engine import Database
    from db.store import Store
    from producer.cleaning import CleanWork

#: Works registered at once while pictures are opened: what an interrupted ingest does again at most.
WITH_PICTURES = 900


@dataclass(frozen=True, kw_only=True)
class CatalogueSource:
    """What the operator names: the catalogue, and where its pictures are."""

    catalogue: Path
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
    """Register a catalogue and keep the report; doing it again takes up what is new, mended or changed and nothing else.

    Args:
        source: the catalogue and its pictures.
        database: the record.
        store: where pictures are copied; None leaves them where they are and records links.
        charts: folder for the report's pictures; None draws none.
        watch: told after each work how many of how many are done.

    Raises:
        CatalogueUnreadable: the catalogue cannot be read as a whole.
    """
    with _gathered(source) as builder:
        importer = ImageImporter(known=known_paths(database) if builder.catalogue.pictures else {}, store=store, link=store is None)
        works = (_work(opened) for opened in _opened(importer, builder, watch))
        changes = upsert_artworks(database, works, at_once=WITH_PICTURES if builder.catalogue.pictures else TRANSACTION)
        report = builder.report(changes)
    if charts is not None:
        from producer.cleaning.charts import draw  # matplotlib takes a second

        report.charts = [str(path) for path in draw(report, charts / _name())]
    save_ingest_report(database, str(source.catalogue.resolve()), report.as_json())
    return report


def dry_run_ingest(source: CatalogueSource, *, watch: Callable[[int, int], None] | None = None) -> CleaningReport:
    """The report that an ingest would give, every picture opened, nothing written and no database asked."""
    with _gathered(source) as builder:
        for _ in _opened(ImageImporter(known={}, store=None, link=False), builder, watch):
            pass
        return builder.report(CatalogueChanges())


@contextmanager
def _gathered(source: CatalogueSource) -> Iterator[ReportBuilder]:
    """Read, join and clean. What is made lives until the end, so the collector is kept from walking it: that took a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        catalogue = read_catalogue(source.catalogue, images=source.images, file_list=source.file_list)
        drafts = join(catalogue)
        builder = ReportBuilder(catalogue=catalogue, reconciliation=reconcile(catalogue, drafts), works=[clean(draft) for draft in drafts])
        gc.freeze()
        if collecting:
            gc.enable()
        yield builder
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()


def _opened(importer: ImageImporter, builder: ReportBuilder, watch: Callable[[int, int], None] | None) -> Iterator[ImportedArtwork]:
    works: Sequence[CleanWork] = builder.works
    for done, opened in enumerate(importer.open_all(works), start=1):
        builder.add(opened)
        if watch is not None:
            watch(done, len(works))
        yield opened


def _work(opened: ImportedArtwork) -> CatalogueArtwork:
    work, facts = opened.work, {}
    for copy in work.copies:
        read = opened.picture is not None and copy.file.path not in opened.unreadable
        # A file that could not be read is opened again next time, whatever its time says: rights change without it.
        facts[copy.file.path] = (copy.file.byte_size, copy.file.modified_ns) if read else (None, None)
    paths = tuple(
        ArtworkPath(
            path=copy.file.path,
            style=style_name(copy.name.folder),
            repaired=copy.repaired,
            byte_size=facts[copy.file.path][0],
            modified_ns=facts[copy.file.path][1],
        )
        for copy in work.copies
    )
    shared: dict[str, Any] = {name: getattr(work, name) for name in _SHARED}
    return CatalogueArtwork(paths=paths, picture=opened.picture, **shared)


_SHARED = ("key", "artist", "title", "style", "styles", "subset", "incomplete", "extra", "listed")


def _name() -> str:
    return f"ingest-{datetime.now(UTC):%Y%m%d-%H%M%S}"
