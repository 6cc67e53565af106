"""Which artworks a campaign takes in, and why the others are left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from db.catalogue.tables import artworks
from db.enums import ImageState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.campaigns import CampaignConfig


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which artworks are planned: all complete ones, or the first `limit` of some styles."""

    styles: tuple[str, ...] = ()
    limit: int | None = None
    priority: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An artwork that takes part."""

    id: int
    key: str
    style: str
    #: Its original is not there yet.
    absent: bool


def candidates(connection: Connection, config: CampaignConfig, selection: Selection) -> list[Candidate]:
    """The artworks of the selection, in the order of their ids."""
    query = select(artworks.c.id, artworks.c.key, func.coalesce(artworks.c.style, "").label("style"), artworks.c.picture)
    query = query.where(artworks.c.picture != ImageState.UNREADABLE).order_by(artworks.c.id)
    if not config.include_incomplete:
        query = query.where(artworks.c.incomplete.is_(None))
    if selection.styles:
        query = query.where(artworks.c.style.in_(selection.styles))
    if selection.limit is not None:
        query = query.limit(selection.limit)
    return [
        Candidate(id=row.id, key=row.key, style=row.style, absent=row.picture == ImageState.PLANNED) for row in connection.execute(query)
    ]


def any_candidate(connection: Connection, config: CampaignConfig, selection: Selection) -> bool:
    """Whether the selection holds any artwork that takes part."""
    return bool(candidates(connection, config, replace(selection, limit=1)))


def left_out(connection: Connection, config: CampaignConfig) -> dict[str, int]:
    """Reason to number of artworks that take no part."""
    unreadable = select(func.count()).select_from(artworks).where(artworks.c.picture == ImageState.UNREADABLE)
    counted = {"unreadable": int(connection.scalar(unreadable) or 0)}
    if not config.include_incomplete:
        query = (
            select(artworks.c.incomplete, func.count())
            .where(artworks.c.incomplete.is_not(None), artworks.c.picture != ImageState.UNREADABLE)
            .group_by(artworks.c.incomplete)
        )
        counted |= dict(connection.execute(query).all())
    return {reason: count for reason, count in counted.items() if count}
