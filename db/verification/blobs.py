"""Whether every row's blob is in the store, with the bytes that its name says.

Rows come by pages in the order of their hashes, so that each part of the store is listed once, and of rows and blobs only a page is held.
A blob that is not listed is looked for once more: it may have been put, and its row committed, since.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, or_, select, true

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.engine.limits import BULK_SECONDS
from db.enums import ImageState
from db.errors import BlobMissing, StoreError, StoreUnavailable
from db.jobs.tables import jobs
from db.results.tables import images
from db.store.linked import read_linked
from db.verification.findings import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import RowMapping, Select

    from db.engine import Database
    from db.store import Store
    from db.verification.findings import Verification

#: Rows that are looked at together.
PAGE = 2_000
#: Files that are read at the same time.
READERS = 8


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Of how many files the bytes are read; the others are only looked for."""

    #: None reads all of them.
    count: int | None

    def stride(self, rows: int) -> int:
        """Every how many rows one is read; 0 for none."""
        if self.count is None:
            return 1
        return max(1, -(-rows // self.count)) if self.count else 0


def check_blobs(
    database: Database, store: Store, result: Verification, *, campaign_id: int | None, sampling: Sampling
) -> Iterator[list[Finding]]:
    """The findings, page by page; what was looked at is counted in `result`.

    Raises:
        StoreUnavailable: the store is away, or is another one: then nothing is said to be missing.
    """
    queries = [_originals(campaign_id), _repaints(campaign_id)]
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        rows = sum(connection.scalar(select(func.count()).select_from(query.subquery())) or 0 for query in queries)
    reader = _Reader(store=store, stride=sampling.stride(rows))
    with ThreadPoolExecutor(READERS, thread_name_prefix="verify") as threads:
        for query in queries:
            for page in _pages(database, query):
                _count(page, result)
                outcomes = list(threads.map(reader.look, reader.with_turns(page)))
                result.hashed += sum(outcome.hashed for outcome in outcomes)
                yield [outcome.finding for outcome in outcomes if outcome.finding is not None]


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    finding: Finding | None = None
    hashed: bool = False


class _Reader:
    """Looks for blobs and reads some of them; safe in several threads once the page's part of the store is listed."""

    def __init__(self, *, store: Store, stride: int) -> None:
        self._store = store
        self._stride = stride
        self._seen = 0
        self._listed = ""
        self._sizes: dict[str, int] = {}

    def with_turns(self, page: Sequence[RowMapping]) -> list[tuple[RowMapping, int | None, bool]]:
        """Each row with the size of its blob as listed, and whether its bytes are read."""
        found = []
        for row in page:
            self._seen += 1
            read = bool(self._stride) and self._seen % self._stride == 0
            found.append((row, None if row["link"] else self._size(row["content_hash"]), read))
        return found

    def look(self, turn: tuple[RowMapping, int | None, bool]) -> _Outcome:
        """What is wrong with one row's file."""
        row, size, read = turn
        if row["link"]:
            return _look_at_link(row, read=read)
        content_hash = row["content_hash"]
        if size is None:
            blob = self._store.blob(content_hash)
            if blob is None:
                return _Outcome(finding=_missing(row))
            size = blob.byte_size
        # A file of another size than its row says is read in any case.
        return self._read(row) if read or size != row["byte_size"] else _Outcome()

    def _read(self, row: RowMapping) -> _Outcome:
        try:
            found = self._store.digest(row["content_hash"])
        except BlobMissing:
            return _Outcome(finding=_missing(row))
        except StoreUnavailable:
            raise
        except StoreError as error:
            return _Outcome(finding=_damaged(row, str(error)))
        if found == row["content_hash"]:
            return _Outcome(hashed=True)
        return _Outcome(finding=_damaged(row, f"its bytes have the hash {found[:12]}..."), hashed=True)

    def _size(self, content_hash: str) -> int | None:
        if content_hash[:2] != self._listed:
            self._listed = content_hash[:2]
            self._sizes = {blob.content_hash: blob.byte_size for blob in self._store.shard(self._listed).blobs}
        return self._sizes.get(content_hash)


def _look_at_link(row: RowMapping, *, read: bool) -> _Outcome:
    if not read and Path(row["link"]).is_file():
        return _Outcome()
    try:
        found = hashlib.sha256(read_linked(row["link"])).hexdigest()
    except BlobMissing:
        return _Outcome(finding=_finding(row, FindingKind.LINK_MISSING, row["link"]))
    except OSError as error:
        return _Outcome(finding=_finding(row, FindingKind.LINK_MISSING, f"{row['link']}: {error.strerror or type(error).__name__}"))
    if found == row["content_hash"]:
        return _Outcome(hashed=True)
    return _Outcome(finding=_finding(row, FindingKind.LINK_CHANGED, row["link"]), hashed=True)


def _missing(row: RowMapping) -> Finding:
    kind = FindingKind.REPAINT_MISSING if row["job_id"] else FindingKind.ORIGINAL_MISSING
    return _finding(row, kind if row["current"] else FindingKind.HISTORY_LOST, f"blob {row['content_hash']} is not in the store")


def _damaged(row: RowMapping, cause: str) -> Finding:
    kind = FindingKind.REPAINT_DAMAGED if row["job_id"] else FindingKind.ORIGINAL_DAMAGED
    kind = kind if row["current"] else FindingKind.HISTORY_LOST
    return _finding(row, kind, f"blob {row['content_hash']}: {cause}", damaged_hash=row["content_hash"])


def _finding(row: RowMapping, kind: FindingKind, detail: str, damaged_hash: str = "") -> Finding:
    return Finding(kind=kind, subject=row["subject"], detail=detail, job_id=row["job_id"], damaged_hash=damaged_hash)


def _count(page: Sequence[RowMapping], result: Verification) -> None:
    for row in page:
        if row["job_id"] is None:
            result.originals += 1
        elif row["current"]:
            result.repaints += 1
        else:
            result.superseded += 1


def _originals(campaign_id: int | None) -> Select[Any]:
    query = select(
        artworks.c.id,
        artworks.c.content_hash,
        artworks.c.byte_size,
        artworks.c.link,
        artworks.c.key.label("subject"),
        literal(None).label("job_id"),
        true().label("current"),
    ).where(artworks.c.picture == ImageState.PRESENT, artworks.c.content_hash.is_not(None))
    if campaign_id is not None:
        planned = select(variations.c.artwork_id).where(variations.c.campaign_id == campaign_id)
        query = query.where(artworks.c.id.in_(planned))
    return query


def _repaints(campaign_id: int | None) -> Select[Any]:
    query = select(
        images.c.id,
        images.c.content_hash,
        images.c.byte_size,
        literal(None).label("link"),
        jobs.c.job_key.label("subject"),
        images.c.job_id,
        images.c.current,
    ).join(jobs, jobs.c.id == images.c.job_id)
    return query if campaign_id is None else query.where(images.c.campaign_id == campaign_id)


def _pages(database: Database, query: Select[Any]) -> Iterator[Sequence[RowMapping]]:
    """By hash and id: a hash may stand in several rows."""
    content_hash, row_id = query.selected_columns["content_hash"], query.selected_columns["id"]
    ordered = query.order_by(content_hash, row_id).limit(PAGE)
    after: Callable[[RowMapping], Any] = lambda row: or_(  # noqa: E731  # a condition, built once for each page
        content_hash > row["content_hash"], (content_hash == row["content_hash"]) & (row_id > row["id"])
    )
    page: Sequence[RowMapping] = ()
    while True:
        following = ordered.where(content_hash >= page[-1]["content_hash"], after(page[-1])) if page else ordered
        with database.read(timeout_seconds=BULK_SECONDS) as connection:
            page = connection.execute(following).mappings().all()
        if not page:
            return
        yield page
