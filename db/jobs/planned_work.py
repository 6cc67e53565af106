"""What artworks lack of a campaign, and what adding it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.campaigns.tables import variations
from db.engine.bulk import runs
from db.jobs.levels import kept_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from db.campaigns import CampaignConfig
    from db.jobs.candidates import Candidate
    from db.jobs.levels import Assignment, Present


@dataclass(frozen=True, kw_only=True)
class PlannedWork:
    """What was planned, or would be: counts of what is new, and how many artworks were left out and why."""

    artworks: int = 0
    variations: int = 0
    jobs: int = 0
    #: Chosen artworks whose original is not there yet: their jobs wait.
    without_picture: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def plus(self, other: PlannedWork) -> PlannedWork:
        """Both together; who is left out stays as it is."""
        return PlannedWork(
            artworks=self.artworks + other.artworks,
            variations=self.variations + other.variations,
            jobs=self.jobs + other.jobs,
            without_picture=self.without_picture + other.without_picture,
            left_out=self.left_out,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """The variations that one artwork lacks."""

    artwork: Candidate
    #: Level and ordinal.
    variations: list[tuple[str, int]]
    #: The campaign has the artwork, and so its caption, already.
    known: bool


def present_variations(connection: Connection, campaign_id: int, artwork_ids: Sequence[int] | None = None) -> Present:
    """What the campaign has already, of these artworks or of all."""
    query = select(variations.c.artwork_id, variations.c.level, variations.c.ordinal).where(variations.c.campaign_id == campaign_id)
    some = [query] if artwork_ids is None else [query.where(variations.c.artwork_id.in_(ids)) for ids in runs(artwork_ids)]
    present: Present = {}
    for one in some:
        for artwork_id, level, ordinal in connection.execute(one):
            present.setdefault(artwork_id, set()).add((level, ordinal))
    return present


def anything_planned(connection: Connection, campaign_id: int | None = None) -> bool:
    """Whether a campaign, or any, has ever had a variation."""
    query = select(variations.c.id).limit(1)
    return connection.scalar(query if campaign_id is None else query.where(variations.c.campaign_id == campaign_id)) is not None


def lacks(config: CampaignConfig, dealt: Iterable[Assignment], present: Present) -> list[Lack]:
    """What these artworks lack, in their order; those that lack nothing are left out."""
    found = []
    for one in dealt:
        have = present.get(one.artwork.id, set())
        kept = kept_level(config, one, present)
        wanted = [(level, ordinal) for level in kept.levels for ordinal in range(config.variations) if (level, ordinal) not in have]
        if wanted:
            found.append(Lack(artwork=one.artwork, variations=wanted, known=bool(have)))
    return found


def counted(config: CampaignConfig, lacking: Iterable[Lack]) -> PlannedWork:
    """What it comes to: each variation has a job of every stage but the first, each new artwork one of that."""
    artworks = planned = new = absent = 0
    for one in lacking:
        artworks += 1
        planned += len(one.variations)
        new += not one.known
        absent += one.artwork.absent
    return PlannedWork(artworks=artworks, variations=planned, jobs=planned * (len(config.stages) - 1) + new, without_picture=absent)
