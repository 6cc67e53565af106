"""The queue: no lease is left, attempts are bounded, wake-ups never exceed their bound, work went on soon after every fault."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from db.enums import FailureKind
from db.jobs.fail import RETRIES

if TYPE_CHECKING:
    from tests.chaos.gates.evidence import Evidence

#: How often one job may be taken from a silent worker within one round.
LOST_AT_MOST = 15


def no_lease_left(evidence: Evidence) -> list[str]:
    """Neither a lease nor a running job."""
    found = [f"lease {row['token']} of {row['worker_id']} is left" for row in evidence.leases]
    return found + [f"job {row['id']} is still {row['state']}" for row in evidence.jobs if row["state"] in {"running", "ready"}]


def attempts_bounded(evidence: Evidence) -> list[str]:
    """In one round a job fails of one kind as often as its retries allow, and is lost a few times."""
    failed = Counter((row["job_id"], row["round"], row["error_kind"]) for row in evidence.attempts if row["outcome"] == "failed")
    lost = Counter((row["job_id"], row["round"]) for row in evidence.attempts if row["outcome"] == "lost")
    found = [
        f"job {job} failed {count} times ({kind}) in round {number}"
        for (job, number, kind), count in failed.items()
        if count > RETRIES[FailureKind(kind)] + 1
    ]
    return found + [f"job {job} was lost {count} times in round {number}" for (job, number), count in lost.items() if count > LOST_AT_MOST]


def wake_ups_bounded(evidence: Evidence) -> list[str]:
    """No queue ever grew beyond twice the threads alive."""
    found = sorted(evidence.watch.excesses(), key=lambda excess: -excess[0].depth)
    began = evidence.watch.began
    return [f"{growth.depth} wake-ups for {growth.stage}, bound {bound}, at {growth.at - began:.0f} s" for growth, bound in found]


def work_went_on(evidence: Evidence) -> list[str]:
    """After every fault a job was done, and its victims' jobs were free, within the promised time."""
    promise, found = evidence.world.clockwork.promise, []
    for entry in evidence.journal.injected:
        cleared = evidence.journal.cleared(entry)
        for what, moment in (("work went on", entry.goes_on_at), ("its jobs were free", entry.freed_at)):
            if moment is None:
                found.append(f"after {entry.kind} ({entry.number}) never: {what}")
            elif moment - cleared > promise:
                found.append(f"after {entry.kind} ({entry.number}) {what} only {moment - cleared:.1f} s later")
    return found
