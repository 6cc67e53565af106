"""Queries of an installation's database: states of jobs, attempts, and what must hold after every run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.tables import attempts, images, jobs, leases, variations

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping

    from tests.acceptance.installation import Installation


def rows(installation: Installation, table: Any, *where: ColumnElement[bool]) -> list[RowMapping]:
    """Rows of a table, oldest first."""
    with installation.runtime.database.read() as connection:
        return list(connection.execute(select(table).where(*where).order_by(*table.primary_key)).mappings())


def states(installation: Installation, stage: str | None = None) -> Counter[str]:
    """State to number of jobs, of one stage or all."""
    where = [] if stage is None else [jobs.c.stage == stage]
    return Counter(row["state"] for row in rows(installation, jobs, *where))


def outcomes(installation: Installation) -> Counter[str]:
    """How many attempts ended how."""
    return Counter(row["outcome"] for row in rows(installation, attempts))


def assert_complete(installation: Installation, *, repaints: int) -> None:
    """Every job is done, every variation has one current image whose blob exists, and no lease is left."""
    assert states(installation).keys() == {"done"}, states(installation)
    current = [row["variation_id"] for row in rows(installation, images, images.c.current)]
    assert len(current) == repaints
    assert sorted(current) == sorted(row["id"] for row in rows(installation, variations))
    assert rows(installation, leases) == []
    for row in rows(installation, images, images.c.current):
        assert installation.runtime.store.get(row["content_hash"])
    # A job is done once in each round: a second commit would be a second attempt that ended well.
    done = Counter((row["job_id"], row["round"]) for row in rows(installation, attempts, attempts.c.outcome == "done"))
    assert set(done.values()) == {1}
