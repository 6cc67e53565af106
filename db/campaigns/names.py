"""Campaigns by the names that people gave them, for logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.campaigns.tables import campaigns
from db.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from db.engine import Database


class CampaignNames:
    """The name of each campaign, asked for once: it never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, str] = {}

    def of(self, campaign_id: int) -> str:
        """The campaign's name; its number while the database is away."""
        if campaign_id not in self._known:
            query = select(campaigns.c.name).where(campaigns.c.id == campaign_id)
            try:
                with self._database.read() as connection:
                    self._known[campaign_id] = str(connection.scalar(query) or campaign_id)
            except DatabaseUnavailable:
                return str(campaign_id)
        return self._known[campaign_id]
