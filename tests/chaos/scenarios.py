"""Short series of faults aimed at one promise each: what a mutant breaks, they bring to light."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.campaigns import find_campaign
from db.enums import JobState, Stage
from db.jobs.requeue import JobFilter, requeue
from db.tables import jobs, leases
from tests.acceptance.installation import until
from tests.chaos.faults import FAULTS, Missed
from tests.chaos.faults.victim import find_victim
from tests.chaos.world import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.conductor import Conductor
    from tests.chaos.faults.victim import Victim
    from tests.chaos.host import Host

#: Tries to hit something.
TRIES = 60
TRY_SECONDS = 0.5
#: Seconds until the next thing has happened.
PATIENCE = 60.0


def strike(conductor: Conductor, kind: str, host: Host | None = None) -> None:
    """Inject one fault of a kind."""
    (fault,) = (fault for fault in FAULTS if fault.kind == kind)
    for number in range(TRIES):
        if not conductor.watch.sight.states.get("ready"):
            make_work(conductor)
        if conductor.strike_once(fault, conductor.scene(random.Random(number), host)):
            return
        time.sleep(TRY_SECONDS)
    raise Missed(kind)


def make_work(conductor: Conductor, *, new_seed: bool = False) -> None:
    """Have all repaints made again."""
    database = conductor.world.database
    chosen = JobFilter(campaign_id=find_campaign(database, MAIN).id, stage=Stage.GENERATE, done=True)
    requeue(database, chosen, new_seed=new_seed)


def a_worker_comes_back_late(conductor: Conductor) -> None:
    """A host freezes with repaints on its device; others make them; they are requeued with another seed; then the host wakes up."""
    world = conductor.world
    victim, caught = _frozen_with_repaints(conductor, world.hosts[0])
    until(lambda: _states(conductor, caught) == {JobState.DONE}, what="others made them", seconds=PATIENCE)
    make_work(conductor, new_seed=True)
    until(lambda: JobState.RUNNING in _states(conductor, caught), what="others make them again", seconds=PATIENCE)
    _signal(victim, freeze=False)


def a_machine_dies(conductor: Conductor) -> None:
    """Supervisor and worker of a host are killed with work in hand."""
    strike(conductor, "kill both", conductor.world.hosts[0])


def all_machines_die(conductor: Conductor) -> None:
    """Every host is killed in the middle of the repaints."""
    until(lambda: _count_done(conductor, Stage.GENERATE) >= 8, what="some repaints are made", seconds=PATIENCE)
    for host in conductor.world.hosts:
        host.kill(child=True)
    for host in conductor.world.hosts:
        host.start()


def two_operators_enqueue(conductor: Conductor) -> None:
    """The same is enqueued again, and by two at once."""
    strike(conductor, "enqueue twice at once")


def the_store_is_emptied(conductor: Conductor) -> None:
    """An empty folder lies in the store's place for a while."""
    strike(conductor, "store emptied")


def the_store_stays_away(conductor: Conductor) -> None:
    """Nothing lies in the store's place for longer than all retries take."""
    strike(conductor, "store gone for long")


def the_broker_fails_beyond_repair(conductor: Conductor) -> None:
    """What Celery calls unrecoverable."""
    for kind in ("broker key of a wrong type", "broker holds rubbish", "broker became a replica"):
        strike(conductor, kind)
        time.sleep(1)


def a_worker_process_ends(conductor: Conductor) -> None:
    """One is asked to end by somebody else than its supervisor, another crashes."""
    strike(conductor, "terminate child", conductor.world.hosts[0])
    strike(conductor, "backend crashes (SIGSEGV)", conductor.world.hosts[1])
    time.sleep(2)


SCENARIOS: dict[str, Callable[[Conductor], None]] = {
    "a worker comes back late": a_worker_comes_back_late,
    "a machine dies": a_machine_dies,
    "all machines die": all_machines_die,
    "two operators enqueue": two_operators_enqueue,
    "the store is emptied": the_store_is_emptied,
    "the store stays away": the_store_stays_away,
    "the broker fails beyond repair": the_broker_fails_beyond_repair,
    "a worker process ends": a_worker_process_ends,
}


def _frozen_with_repaints(conductor: Conductor, host: Host) -> tuple[Victim, frozenset[int]]:
    """Stop the host in the middle of a batch of repaints; returns their jobs."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        victim = find_victim(conductor.scene(random.Random(0), host), busy=True)
        if not _repaints_of(conductor, victim):
            time.sleep(0.05)
            continue
        _signal(victim, freeze=True)
        if caught := _repaints_of(conductor, victim):
            return victim, caught
        _signal(victim, freeze=False)
    raise Missed


def _signal(victim: Victim, *, freeze: bool) -> None:
    supervisor = victim.host.supervisor()
    for process in filter(None, (supervisor, victim.process)):
        (process.suspend if freeze else process.resume)()


def _repaints_of(conductor: Conductor, victim: Victim) -> frozenset[int]:
    """The repaints that are on a worker's device."""
    held = select(leases.c.token).where(leases.c.worker_id == victim.worker_id, leases.c.started_at.is_not(None))
    query = select(jobs.c.id).where(jobs.c.lease_token.in_(held), jobs.c.stage == "generate", jobs.c.state == "running")
    with conductor.world.database.read() as connection:
        return frozenset(connection.scalars(query))


def _states(conductor: Conductor, job_ids: frozenset[int]) -> set[str]:
    with conductor.world.database.read() as connection:
        return set(connection.scalars(select(jobs.c.state).where(jobs.c.id.in_(job_ids))))


def _count_done(conductor: Conductor, stage: Stage) -> int:
    with conductor.world.database.read() as connection:
        return len(connection.scalars(select(jobs.c.id).where(jobs.c.stage == str(stage), jobs.c.state == "done")).all())
