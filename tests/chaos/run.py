"""A whole run, from an empty world to the verdict of the gates."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.tables import workers
from tests.chaos.conductor import Conductor
from tests.chaos.gates import Evidence, broken_gates
from tests.chaos.table import KindSummary, as_json, summaries
from tests.chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tests.chaos.clockwork import Clockwork
    from tests.chaos.gates.evidence import Planned
    from tests.chaos.plan import Plan

#: Seconds beyond those after which the last worker is known to be dead.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of a run."""

    #: The gates that do not hold, and what is wrong with each.
    broken: dict[str, list[str]]
    kinds: list[KindSummary]
    facts: dict[str, Any]
    #: What the hosts wrote.
    logs: dict[str, str]


def chaos_run(
    *,
    database: str,
    seed: int,
    faults: int,
    clockwork: Clockwork,
    plan: Plan,
    undisturbed: Mapping[Planned, str],
    limit_seconds: float = 7200.0,
) -> Verdict:
    """Make a world, trouble it, heal it, judge it."""
    began = time.monotonic()
    with World(database=database, clockwork=clockwork, plan=plan) as world:
        world.prepare()
        conductor = Conductor(world, seed=seed, faults=faults, limit_seconds=limit_seconds)
        conductor.run()
        return judged(conductor, undisturbed, seconds=time.monotonic() - began, seed=seed)


def _wait_until_nobody_is_alive(world: World) -> None:
    """A worker that was killed counts as alive for a while, and what it may yet commit is not collected."""
    deadline = time.monotonic() + 2 * world.alive_within + PATIENCE_SECONDS
    while any(world.counts_as_alive(seen_at) for seen_at in _heartbeats(world)) and time.monotonic() < deadline:
        time.sleep(0.5)


def _heartbeats(world: World) -> Sequence[float]:
    """The last ones of all workers that did not end in good order."""
    with world.database.read() as connection:
        return connection.scalars(select(workers.c.seen_at).where(workers.c.stopped_at.is_(None))).all()


def judged(conductor: Conductor, undisturbed: Mapping[Planned, str], *, seconds: float = 0.0, seed: int = 0) -> Verdict:
    """Collect garbage at rest, then ask every gate."""
    world = conductor.world
    _wait_until_nobody_is_alive(world)
    collected = world.run("gc", "--grace", "0s")
    if collected.returncode != 0:
        conductor.journal.complain(f"gc at rest ended with {collected.returncode}: {collected.stderr[-300:]}")
    evidence = Evidence(world, conductor.watch, conductor.journal, undisturbed)
    broken = broken_gates(evidence)
    return Verdict(
        broken=broken,
        kinds=summaries(evidence),
        facts=as_json(evidence, broken, seconds=seconds, seed=seed),
        logs={host.name: host.log.read_text(errors="replace") for host in world.hosts},
    )
