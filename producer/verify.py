"""Verifying a campaign, or all of them, and waking the workers for what is made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.campaigns import find_campaign
from db.verification import verify
from producer.notify import notify_ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.runtime import Runtime
    from db.verification import Verification

#: Files whose bytes are read unless more is asked for.
SAMPLE = 1_000


def verify_runtime(
    runtime: Runtime, campaign: str | None, *, sample: int | None, repair: bool, watch: Callable[[Verification], None]
) -> Verification:
    """Look at every row and its blob; `sample` is None to read all of them.

    Raises `UnknownCampaign`, and what `db.verification.verify` raises.
    """
    chosen = None if campaign is None else find_campaign(runtime.database, campaign)
    result = verify(runtime.database, runtime.store, campaign=chosen, sample=sample, repair=repair, watch=watch)
    if result.requeued:
        notify_ready(runtime)
    return result
