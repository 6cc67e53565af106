from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import Stage
from db.jobs.batch_keys import Parameters
from db.jobs.claim import BatchCandidate
from workers.scheduling import STICK_SECONDS, TROUBLE_SECONDS, Scheduler, ranked

if TYPE_CHECKING:
    from collections.abc import Collection

PARAMETERS = Parameters(backend="fake-none", model="", revision="main", dtype="auto", batch=8, models_directory="", settings={}, picture={})


def candidate(name: str, stage: Stage = Stage.CAPTION, *, priority: int = 0) -> BatchCandidate:
    return BatchCandidate(batch_key=name, campaign_id=1, stage=stage, parameters=PARAMETERS, priority=priority, has_suspects=False)


def order(*ready_batches: BatchCandidate, loaded: Collection[str] = (), waited: dict[str, float] | None = None) -> list[str]:
    """Names in the order of service; `waited` is in seconds, and starvation begins above 100."""
    since = {name: 1000.0 - seconds for name, seconds in (waited or {}).items()}
    found = ranked(ready_batches, loaded=loaded, waiting_since=since, moment=1000.0, starvation_seconds=100.0)
    return [one.batch_key for one in found]


def test_priority_comes_before_everything_else() -> None:
    low = candidate("low", Stage.RECAPTION, priority=1)
    high = candidate("high", Stage.CAPTION, priority=2)

    assert order(low, high, loaded={"low"}, waited={"low": 1e6}) == ["high", "low"]


def test_a_starved_batch_key_comes_before_the_loaded_model() -> None:
    assert order(candidate("loaded"), candidate("starved"), loaded={"loaded"}, waited={"starved": 101.0}) == ["starved", "loaded"]


def test_within_the_starvation_bound_the_loaded_model_goes_on() -> None:
    assert order(candidate("other"), candidate("loaded"), loaded={"loaded"}, waited={"other": 99.0}) == ["loaded", "other"]


def test_the_loaded_model_comes_before_a_later_stage() -> None:
    later, loaded = candidate("later", Stage.RECAPTION), candidate("loaded", Stage.CAPTION)

    assert order(later, loaded, loaded={"loaded"}) == ["loaded", "later"]


def test_of_equals_the_one_nearest_to_done_comes_first() -> None:
    stages = [candidate(stage, stage) for stage in Stage]

    assert order(*stages) == ["recaption", "generate", "prompt", "caption"]


def test_among_the_starved_the_loaded_one_comes_first() -> None:
    waited = {"a": 200.0, "b": 200.0}

    assert order(candidate("a"), candidate("b"), candidate("c"), loaded={"b", "c"}, waited=waited) == ["b", "a", "c"]


def test_a_key_seen_for_the_first_time_does_not_starve() -> None:
    assert order(candidate("new"), candidate("loaded"), loaded={"loaded"}) == ["loaded", "new"]


def test_of_true_equals_the_order_of_the_database_stays() -> None:
    assert order(candidate("b"), candidate("a"), candidate("c")) == ["b", "a", "c"]


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


def scheduler_at(clock: Clock, *, loaded: Collection[str] = ()) -> Scheduler:
    return Scheduler(is_loaded=lambda one: one.batch_key in loaded, starvation_seconds=100.0, clock=clock)


def keys(found: list[BatchCandidate]) -> list[str]:
    return [one.batch_key for one in found]


def test_a_scheduler_prefers_the_key_it_chose_last_for_a_while() -> None:
    clock = Clock()
    scheduler = scheduler_at(clock)
    assert scheduler.preferred() is None

    scheduler.note_chosen(candidate("a"))

    assert scheduler.preferred() == candidate("a")
    clock.moment += STICK_SECONDS * 0.9
    assert scheduler.preferred() == candidate("a")
    clock.moment += STICK_SECONDS * 0.2
    assert scheduler.preferred() is None


def test_a_scheduler_ranks_the_loaded_model_first_until_another_key_starves() -> None:
    clock = Clock()
    scheduler = scheduler_at(clock, loaded={"loaded"})
    found = [candidate("other"), candidate("loaded")]
    assert keys(scheduler.ranked(found)) == ["loaded", "other"]

    for _ in range(4):
        scheduler.note_chosen(candidate("loaded"))
        clock.moment += 30
        last = scheduler.ranked(found)

    assert keys(last) == ["other", "loaded"]


def test_a_key_that_was_served_begins_to_wait_anew() -> None:
    clock = Clock()
    scheduler = scheduler_at(clock, loaded={"loaded"})
    found = [candidate("other"), candidate("loaded")]
    scheduler.ranked(found)
    clock.moment += 101
    scheduler.note_chosen(candidate("other"))

    assert keys(scheduler.ranked(found)) == ["loaded", "other"]


def test_a_key_that_had_no_work_meanwhile_begins_to_wait_anew() -> None:
    clock = Clock()
    scheduler = scheduler_at(clock, loaded={"loaded"})
    scheduler.ranked([candidate("other"), candidate("loaded")])
    scheduler.ranked([candidate("loaded")])
    clock.moment += 101

    assert keys(scheduler.ranked([candidate("other")])) == ["other"]
    clock.moment += 50
    assert keys(scheduler.ranked([candidate("other"), candidate("loaded")])) == ["loaded", "other"]


def test_a_key_whose_model_is_broken_is_left_out_until_its_time_is_over() -> None:
    clock = Clock()
    scheduler = scheduler_at(clock)
    scheduler.note_chosen(candidate("a"))

    scheduler.note_broken("a", "hub/one: no such model")

    assert scheduler.preferred() is None
    assert keys(scheduler.ranked([candidate("a"), candidate("b")])) == ["b"]
    assert (scheduler.broken_keys, scheduler.troubles) == ({"a"}, ["hub/one: no such model"])
    clock.moment += TROUBLE_SECONDS
    assert keys(scheduler.ranked([candidate("a"), candidate("b")])) == ["a", "b"]
    assert (scheduler.broken_keys, scheduler.troubles) == (set(), [])


def test_one_cause_that_breaks_several_keys_is_named_once() -> None:
    scheduler = scheduler_at(Clock())

    for key in ("c1/generate/radical", "c1/generate/moderate"):
        scheduler.note_broken(key, "sdxl is absent")

    assert scheduler.troubles == ["sdxl is absent"]
