"""Dealing levels to artworks: all of them to each, or one to each by shares that hold within every style."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from db.campaigns import CampaignConfig
    from db.jobs.candidates import Candidate

#: Artwork to the (level, ordinal) pairs that it has in a campaign already.
Present = dict[int, set[tuple[str, int]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """An artwork and the levels at which it is repainted."""

    artwork: Candidate
    levels: tuple[str, ...]


def deal_levels(config: CampaignConfig, chosen: Sequence[Candidate], present: Present) -> list[Assignment]:
    """The levels of each artwork, in the order in which they are to be planned.

    Shares are dealt one artwork after the other, each by the counts of those before it. Who plans in this order may stop anywhere: what is
    planned by then counts as dealt, and dealing goes on as it would have without the stop.
    """
    if config.levels == "both":
        return [Assignment(artwork=candidate, levels=tuple(config.level)) for candidate in chosen]
    shares = config.levels
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(shares, 0))
    dealt = []
    for candidate in chosen:
        if candidate.id in present:
            level = min(present[candidate.id])[0]
            counts[candidate.style][level] = counts[candidate.style].get(level, 0) + 1
            dealt.append(Assignment(artwork=candidate, levels=(level,)))
    fresh = [candidate for candidate in chosen if candidate.id not in present]
    for candidate in sorted(fresh, key=lambda one: sha256(f"{config.seed}\x1f{one.style}\x1f{one.key}".encode()).digest()):
        level = _neediest(shares, counts[candidate.style])
        counts[candidate.style][level] += 1
        dealt.append(Assignment(artwork=candidate, levels=(level,)))
    return dealt


def kept_level(config: CampaignConfig, assignment: Assignment, present: Present) -> Assignment:
    """The assignment, unless shares gave the artwork its one level before: another producer may have been there first."""
    had = present.get(assignment.artwork.id)
    if config.levels == "both" or not had:
        return assignment
    return Assignment(artwork=assignment.artwork, levels=(min(had)[0],))


def _neediest(shares: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """The level that is farthest behind its share once one more artwork is dealt."""
    dealt = sum(counts.values()) + 1
    return max(shares, key=lambda level: (shares[level] * dealt - counts[level], shares[level], level))
