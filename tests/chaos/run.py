"""A whole run, from an empty world to the verdict of the gates."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos.conductor import Conductor
from tests.chaos.gates import Evidence, broken_gates
from tests.chaos.table import KindSummary, as_json, summaries
from tests.chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tests.chaos.clockwork import Clockwork
    from tests.chaos.gates.evidence import Planned
    from tests.chaos.plan import Plan


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


def judged(conductor: Conductor, undisturbed: Mapping[Planned, str], *, seconds: float = 0.0, seed: int = 0) -> Verdict:
    """Collect garbage at rest, then ask every gate."""
    world = conductor.world
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
