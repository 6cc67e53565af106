"""The whole verification: chains of every campaign, then blobs; mended on the way if that is asked."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from db.campaigns import all_campaigns
from db.verification.blobs import Sampling, check_blobs
from db.verification.chains import check_chains
from db.verification.findings import Verification
from db.verification.mend import mend

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.campaigns import Campaign
    from db.engine import Database
    from db.store import Store


def verify(
    database: Database,
    store: Store,
    *,
    campaign: Campaign | None = None,
    sample: int | None = None,
    repair: bool = False,
    watch: Callable[[Verification], None] = lambda _: None,
) -> Verification:
    """Look at every row and its blob; workers may run meanwhile.

    Args:
        database: the rows.
        store: the blobs.
        campaign: only its chains, its originals and its repaints.
        sample: of how many files the bytes are read and hashed; None reads all. Every file is looked for.
        repair: have made again what jobs can make, keep the latest of several current results, set damaged blobs aside.
        watch: called after each page with the result so far.

    Raises:
        StoreUnavailable: the store is away, or is another one than the database knows: then nothing is said to be missing.
        DatabaseUnavailable: the database does not answer.
    """
    store.check(writable=False)
    result = Verification(campaign=None if campaign is None else campaign.name)
    chains = [check_chains(database, result, one) for one in (all_campaigns(database) if campaign is None else [campaign])]
    campaign_id = None if campaign is None else campaign.id
    blobs = check_blobs(database, store, result, campaign_id=campaign_id, sampling=Sampling(count=sample))
    for findings in chain(*chains, blobs):
        for finding in findings:
            result.note(finding)
        if repair and findings:
            mend(database, store, result, findings)
        watch(result)
    return result
