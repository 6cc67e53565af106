"""What was planned, as the tests of planning ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from db.tables import jobs, variations

if TYPE_CHECKING:
    from tests.builders import CampaignHarness

SHARES: Any = {"levels": {"radical": 0.8, "moderate": 0.2}}


def levels_by_artwork(harness: CampaignHarness) -> dict[int, str]:
    return {row["artwork_id"]: row["level"] for row in harness.rows(variations)}


def forget_radical(harness: CampaignHarness) -> None:
    """As if the repaints of one level had never been planned."""
    with harness.database.engine.begin() as connection:
        for table in (jobs, variations):
            of_radical = select(variations.c.id).where(variations.c.level == "radical")
            column = table.c.variation_id if table is jobs else table.c.id
            connection.execute(delete(table).where(column.in_(of_radical)))
