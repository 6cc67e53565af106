"""Fair shares between campaigns of equal priority: each has a virtual time, the seconds that it was served, and the least goes first.

A batch is charged when it is claimed, with what the key's last batches took, and corrected when it ends, so that several threads do not all
run to the same campaign. A campaign that appears, or comes back, starts at the least virtual time of those that were there (never below its
own): it catches up on nothing and makes nobody wait. What a campaign may lag behind the one that was served most is bounded too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from db.jobs.claim import BatchCandidate

#: Seconds that a batch is taken to last before any has ended.
FIRST_ESTIMATE = 1.0
#: Weight of the last batch in what the next is taken to last.
LAST_BATCH_WEIGHT = 0.3


@dataclass(kw_only=True)
class _Account:
    """One campaign among those of one priority."""

    #: Seconds served, from the start that it was given on.
    virtual: float
    #: Whether it had work when all were last looked at.
    present: bool = False
    #: Batches under way.
    under_way: int = 0


@dataclass(kw_only=True)
class _Tier:
    """The campaigns of one priority."""

    #: Where a campaign that appears starts; never falls.
    floor: float = 0.0
    accounts: dict[int, _Account] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Charge:
    candidate: BatchCandidate
    seconds: float


class FairShares:
    """The virtual times of one process. Not for several threads at once: its owner has a lock."""

    def __init__(self, *, longest_lag: float) -> None:
        self._longest_lag = longest_lag
        self._tiers: dict[int, _Tier] = {}
        self._charges: dict[str, list[_Charge]] = {}
        self._estimates: dict[str, float] = {}
        self._typical = FIRST_ESTIMATE

    @property
    def under_way(self) -> list[BatchCandidate]:
        """The keys of the batches that were charged and have not ended, each once."""
        return [charges[0].candidate for charges in self._charges.values()]

    def look(self, found: Iterable[BatchCandidate]) -> None:
        """`found` is everything that has work now: campaigns come and go."""
        present: dict[int, set[int]] = {priority: set() for priority in self._tiers}
        for candidate in found:
            present.setdefault(candidate.priority, set()).add(candidate.campaign_id)
        for priority, campaigns in present.items():
            tier = self._tiers.setdefault(priority, _Tier())
            _look_at(tier, campaigns, longest_lag=self._longest_lag)
            if not tier.accounts:
                del self._tiers[priority]
        known = {candidate.campaign_id for candidate in self.under_way} | {
            campaign_id for tier in self._tiers.values() for campaign_id in tier.accounts
        }
        if len(self._estimates) > 8 * (len(known) + 1):
            keys = {candidate.batch_key for candidate in found} | set(self._charges)
            self._estimates = {key: seconds for key, seconds in self._estimates.items() if key in keys}

    def virtual_time(self, candidate: BatchCandidate) -> float:
        """Seconds that its campaign was served, comparable with others of its priority."""
        tier = self._tiers.get(candidate.priority, _Tier())
        account = tier.accounts.get(candidate.campaign_id)
        return tier.floor if account is None else account.virtual

    def charge(self, candidate: BatchCandidate) -> None:
        """A batch of this key was claimed."""
        seconds = self._estimates.get(candidate.batch_key, self._typical)
        account = self._account(candidate)
        account.virtual += seconds
        account.under_way += 1
        self._charges.setdefault(candidate.batch_key, []).append(_Charge(candidate=candidate, seconds=seconds))

    def correct(self, batch_key: str, seconds: float) -> None:
        """A batch of this key that was charged has ended and took so long; one that was not charged is nobody's."""
        charges = self._charges.get(batch_key)
        if not charges:
            return
        charge = charges.pop(0)
        if not charges:
            del self._charges[batch_key]
        account = self._account(charge.candidate)
        account.virtual += seconds - charge.seconds
        account.under_way -= 1
        expected = self._estimates.get(batch_key, seconds)
        self._estimates[batch_key] = expected + LAST_BATCH_WEIGHT * (seconds - expected)
        self._typical += LAST_BATCH_WEIGHT * (seconds - self._typical)

    def _account(self, candidate: BatchCandidate) -> _Account:
        tier = self._tiers.setdefault(candidate.priority, _Tier())
        return tier.accounts.setdefault(candidate.campaign_id, _Account(virtual=tier.floor))


def _look_at(tier: _Tier, campaigns: set[int], *, longest_lag: float) -> None:
    staying = [account for campaign, account in tier.accounts.items() if account.under_way or (account.present and campaign in campaigns)]
    tier.floor = max([tier.floor, *([min(account.virtual for account in staying)] if staying else [])])
    for campaign in campaigns:
        account = tier.accounts.setdefault(campaign, _Account(virtual=tier.floor))
        if not account.present and not account.under_way:
            account.virtual = max(account.virtual, tier.floor)
    for campaign, account in list(tier.accounts.items()):
        account.present = campaign in campaigns
        if not account.present and not account.under_way and account.virtual <= tier.floor:
            del tier.accounts[campaign]  # it would start at the floor anyway
    active = [account for account in tier.accounts.values() if account.present or account.under_way]
    earliest = max((account.virtual for account in active), default=0.0) - longest_lag
    for account in active:
        account.virtual = max(account.virtual, earliest)
