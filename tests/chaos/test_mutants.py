"""The gates judge: with one thing taken out of the product, and a few faults aimed at it, they do not hold; else they do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.clockwork import FAST
from tests.chaos.conductor import Conductor
from tests.chaos.plan import Plan
from tests.chaos.run import Verdict, judged
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.chaos.gates.evidence import Planned

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow(reason="two hosts work through a campaign, some of them without an end")]

#: Batches that take a while, so that a fault can be aimed at one; and no patience with work that never ends.
AIMED = replace(FAST, batch=0.6, outage=(2.0, 3.0), ending=25.0, settings={**FAST.settings, "PARAGONE_BUDGET_SECONDS": "60"})

#: Mutant, the scenario that is aimed at it, and a gate that must not hold.
MUTANTS = [
    ("fencing off", "a worker comes back late", "results agree"),
    ("sweeper off", "a machine dies", "no lease left"),
    ("row before blob", "all machines die", "no row without its blob"),
    ("uniqueness off", "two operators enqueue", "nothing twice"),
    ("store marker off", "the store is emptied", "failed as planted"),
    ("breaker off", "the store stays away", "failed as planted"),
    ("exit code swallowed", "a worker process ends", "ended well"),
]

#: SQLite cannot take a unique constraint away.
WITHOUT_UNIQUENESS = """
DO $$ DECLARE one record; BEGIN
 FOR one IN SELECT conname AS name, conrelid::regclass AS of_table FROM pg_constraint
   WHERE contype = 'u' AND conrelid IN ('jobs'::regclass, 'variations'::regclass) LOOP
  EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.of_table, one.name);
 END LOOP;
 FOR one IN SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'uq_%_current' LOOP
  EXECUTE format('DROP INDEX %I', one.name);
 END LOOP;
END $$
"""


@pytest.mark.parametrize(("mutant", "scenario", "gate"), MUTANTS, ids=[mutant.replace(" ", "-") for mutant, _, _ in MUTANTS])
def test_the_gates_do_not_hold_for_a_mutant(mutant: str, scenario: str, gate: str, undisturbed: Mapping[Planned, str]) -> None:
    verdict = _run([scenario], undisturbed, mutants=[mutant])

    assert gate in verdict.broken, f"{mutant} was not seen, only {verdict.broken}"


def test_the_gates_hold_for_the_product_in_every_one_of_these_scenarios(undisturbed: Mapping[Planned, str]) -> None:
    verdict = _run(list(SCENARIOS), undisturbed)

    assert verdict.broken == {}


def _run(scenarios: Sequence[str], undisturbed: Mapping[Planned, str], *, mutants: Sequence[str] = ()) -> Verdict:
    clockwork = AIMED if mutants else replace(AIMED, ending=120.0)
    plan = Plan(artworks=12, planted=(), spoiled=False)
    database = "postgresql" if "uniqueness off" in mutants else "sqlite"
    with World(database=database, clockwork=clockwork, plan=plan, mutants=mutants, hosts=2) as world:
        world.prepare()
        if world.postgres:
            world.postgres.execute(WITHOUT_UNIQUENESS)
        conductor = Conductor(world, seed=1, faults=0)
        conductor.begin()
        for scenario in scenarios:
            SCENARIOS[scenario](conductor)
        conductor.finish()
        return judged(conductor, undisturbed)
