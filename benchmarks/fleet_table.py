"""The results of a fleet as a Markdown table, and its knee in words, with the evidence."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet import Result

#: A fleet that does this share of what its devices could do is carried.
CARRIED = 0.9
#: Share of the machine's cores from which on they count as used up.
BUSY = 0.9
MEGA = 1e6
HEAD = (
    "jobs",
    "workers",
    "connections",
    "jobs/s",
    "of what devices could do",
    "claim ms (p99)",
    "commit ms (p99)",
    "status ms (max)",
    "WAL bytes/job",
    "dead rows of `jobs`",
    "HOT leases, workers",
    "indexes of `jobs`",
    "CPU: PostgreSQL + workers",
    "what backends at work wait for",
)


def described(result: Result) -> str:
    """One line while it runs."""
    step = result.step
    return (
        f"{step.jobs:,} jobs, {step.workers:,} workers, {step.mode}: {result.jobs_per_second:,.0f} jobs/s{_share(result)}, "
        f"claim {result.claim_ms[0]:.1f} ms, commit {result.commit_ms[0]:.1f} ms, status {result.status_ms[0]:.0f} ms, "
        f"CPU {result.server['server_cpu']:.2f} + {result.client_cpu:.2f}, {_waits(result)}"
        + (f", errors {result.errors}" if result.errors else "")
    )


def table(results: Sequence[Result]) -> str:
    """All rows."""
    lines = [HEAD, ("---:",) * (len(HEAD) - 1) + ("---",), *(_row(result) for result in results)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def knee(results: Sequence[Result]) -> str:
    """For each number of jobs: the largest fleet that was carried, the first that was not, and what it waited for."""
    found = []
    for jobs in dict.fromkeys(result.step.jobs for result in results):
        own = [result for result in results if result.step.jobs == jobs and result.step.mode == "own"]
        carried = [result for result in own if _is_carried(result)]
        beyond = next((result for result in own if not _is_carried(result)), None)
        text = f"{jobs:,} jobs: "
        text += f"{carried[-1].step.workers:,} workers are carried" if carried else "no fleet is carried"
        if beyond is None:
            text += "; no knee was reached"
        else:
            text += f"; at {beyond.step.workers:,} it bends ({beyond.jobs_per_second:,.0f} jobs/s{_share(beyond)}): {_cause(beyond)}"
        shared = [result for result in results if result.step.jobs == jobs and result.step.mode != "own"]
        text += "".join(f"; {one.step.mode} ({one.step.workers:,} workers): {one.jobs_per_second:,.0f} jobs/s" for one in shared)
        found.append(f"- {text}.")
    return "\n".join(found)


def _is_carried(result: Result) -> bool:
    return result.offered is None or result.jobs_per_second >= CARRIED * result.offered


def _cause(result: Result) -> str:
    """What sets the limit, by what the server and the machine say."""
    server = result.server
    causes = []
    ours = (server["server_cpu"] + result.client_cpu) / (os.cpu_count() or 1)
    if server["machine_busy"] >= BUSY and ours < BUSY * server["machine_busy"]:
        causes.append(f"other work had {100 * (server['machine_busy'] - ours):.0f} % of the cores: measure again on a quiet machine")
    elif server["machine_busy"] >= BUSY:
        causes.append(f"the cores are used up (PostgreSQL {server['server_cpu']:.2f}, workers {result.client_cpu:.2f})")
    if server["vacuums"]:
        causes.append(f"{server['vacuums']} autovacuums ran meanwhile")
    if result.errors:
        causes.append(f"errors: {next(iter(result.errors))}")
    causes.append(f"{server['active']:.1f} of {server['connections']:,} backends were at work: {_waits(result)}")
    return "; ".join(causes)


def _waits(result: Result) -> str:
    shares = [f"{name} {100 * share:.0f} %" for name, share in result.server["top_waits"][:3]]
    return ", ".join(shares) or "nobody at work"


def _share(result: Result) -> str:
    return "" if not result.offered else f" ({100 * result.jobs_per_second / result.offered:.0f} %)"


def _row(result: Result) -> tuple[str, ...]:
    step, server = result.step, result.server
    return (
        f"{step.jobs:,}",
        f"{step.workers:,}",
        f"{server['connections']:,} {step.mode}",
        f"{result.jobs_per_second:,.0f}",
        "" if not result.offered else f"{100 * result.jobs_per_second / result.offered:.0f} %",
        f"{result.claim_ms[0]:.1f} ({result.claim_ms[1]:.0f})",
        f"{result.commit_ms[0]:.1f} ({result.commit_ms[1]:.0f})",
        f"{result.status_ms[0]:.0f} ({result.status_ms[1]:.0f})",
        f"{server['wal_bytes_per_job']:,.0f}",
        f"{server['dead']['jobs']:,}",
        f"{100 * server['hot']['leases']:.0f} %, {100 * server['hot']['workers']:.0f} %",
        f"{server['index_bytes'] / MEGA:,.0f} MB",
        f"{server['server_cpu']:.2f} + {result.client_cpu:.2f}",
        _waits(result),
    )
