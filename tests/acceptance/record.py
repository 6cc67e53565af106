"""What the record says, for tests: states of jobs, attempts, and what must hold after every run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.engine import reading
from db.tables import attempts, images, jobs, leases, variations

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping

    from tests.acceptance.place import Place


def rows(place: Place, table: Any, *where: ColumnElement[bool]) -> list[RowMapping]:
    """Rows of a table, oldest first."""
    with reading(place.house.engine).connect() as connection:
        return list(connection.execute(select(table).where(*where).order_by(*table.primary_key)).mappings())


def states(place: Place, stage: str | None = None) -> Counter[str]:
    """State to number of jobs, of one stage or all."""
    where = [] if stage is None else [jobs.c.stage == stage]
    return Counter(row["state"] for row in rows(place, jobs, *where))


def outcomes(place: Place) -> Counter[str]:
    """How many attempts ended how."""
    return Counter(row["outcome"] for row in rows(place, attempts))


def check_whole(place: Place, *, repaints: int) -> None:
    """Every job is done, every variation has one current image whose blob is there, and nobody holds a lease."""
    assert states(place).keys() == {"done"}, states(place)
    current = [row["variation_id"] for row in rows(place, images, images.c.current)]
    assert len(current) == repaints
    assert sorted(current) == sorted(row["id"] for row in rows(place, variations))
    assert rows(place, leases) == []
    for row in rows(place, images, images.c.current):
        assert place.house.store.get(row["content_hash"])
    # A job is done once in each round: a second commit would be a second attempt that ended well.
    done = Counter((row["job_id"], row["round"]) for row in rows(place, attempts, attempts.c.outcome == "done"))
    assert set(done.values()) == {1}
