from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import Stage
from db.jobs.batch_keys import Parameters
from db.jobs.claim import BatchCandidate
from workers.scheduling.model_turns import ModelNeed
from workers.scheduling.scheduler import CONTESTED_STICK_SECONDS, STICK_SECONDS, TROUBLE_SECONDS, Scheduler

if TYPE_CHECKING:
    from collections.abc import Collection

BOUND = 100.0


def candidate(name: str, stage: Stage = Stage.CAPTION, *, campaign: int = 1, priority: int = 0, model: str = "m") -> BatchCandidate:
    parameters = Parameters(
        backend="fake-none", model=model, revision="main", dtype="auto", batch=8, models_directory="", settings={}, picture={}
    )
    return BatchCandidate(batch_key=name, campaign_id=campaign, stage=stage, parameters=parameters, priority=priority, has_suspects=False)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


class OneWorker:
    """A scheduler, and a device of so many places whose models a test names; "" computes elsewhere."""

    def __init__(self, *loaded: str, places: int = 1) -> None:
        self.clock = Clock()
        self.loaded = set(loaded)
        self.places = places
        self.scheduler = Scheduler(model_need=self._need, starvation_seconds=BOUND, clock=self.clock)

    def _need(self, one: BatchCandidate, under_way: Collection[BatchCandidate]) -> ModelNeed:
        model = one.parameters.model
        return ModelNeed(model=model or None, evicts=model not in self.loaded | {""} and len(self.loaded) >= self.places)

    def order(self, *found: BatchCandidate) -> list[str]:
        return [one.batch_key for one in self.scheduler.ranked(found)]

    def serve(self, *found: BatchCandidate, seconds: float = 1.0) -> str:
        """The best of these is claimed and done; its name."""
        best = self.scheduler.ranked(found)[0]
        self.scheduler.note_chosen(best)
        if best.parameters.model:
            self.loaded = {best.parameters.model} if self.places == 1 else self.loaded | {best.parameters.model}
        self.clock.moment += seconds
        self.scheduler.note_finished(best.batch_key, seconds)
        return best.batch_key


def test_priority_comes_before_everything_else() -> None:
    worker = OneWorker("low")
    low = candidate("low", Stage.RECAPTION, priority=1, model="low")
    high = candidate("high", Stage.CAPTION, priority=2, model="high")
    worker.order(low)
    worker.clock.moment += 1e6

    assert worker.order(low, high) == ["high", "low"]


def test_the_campaign_that_was_served_least_comes_first_whatever_its_batches_take() -> None:
    worker = OneWorker("m")
    long, short = candidate("long", campaign=1), candidate("short", campaign=2)

    served = [worker.serve(long, short, seconds=8.0 if worker.order(long, short)[0] == "long" else 1.0) for _ in range(90)]

    assert 8 <= served.count("long") <= 12


def test_equal_campaigns_go_in_the_order_of_their_numbers_not_of_their_text() -> None:
    worker = OneWorker("m")

    assert worker.order(*(candidate(f"c{number}/caption", campaign=number) for number in (10, 2, 1))) == [
        "c1/caption",
        "c2/caption",
        "c10/caption",
    ]


def test_within_a_campaign_the_one_nearest_to_done_comes_first() -> None:
    worker = OneWorker("m")

    assert worker.order(*(candidate(stage, stage) for stage in Stage)) == ["recaption", "generate", "prompt", "caption"]


def test_a_campaign_that_was_served_less_goes_before_anothers_later_stage() -> None:
    worker = OneWorker("m")
    early, late = candidate("early", Stage.CAPTION, campaign=2), candidate("late", Stage.RECAPTION, campaign=1)
    assert worker.serve(early, late) == "late"

    assert worker.order(early, late) == ["early", "late"]


def test_two_levels_of_one_stage_are_served_by_turns() -> None:
    worker = OneWorker("m")
    levels = [candidate("moderate", Stage.GENERATE), candidate("radical", Stage.GENERATE)]

    assert [worker.serve(*levels) for _ in range(4)] == ["moderate", "radical", "moderate", "radical"]


def test_several_threads_do_not_all_run_to_the_same_campaign() -> None:
    worker = OneWorker("m")
    found = [candidate(f"c{number}", campaign=number) for number in (1, 2, 3)]

    claimed = []
    for _ in range(6):
        claimed.append(worker.order(*found)[0])
        worker.scheduler.note_chosen(next(one for one in found if one.batch_key == claimed[-1]))

    assert claimed == ["c1", "c2", "c3", "c1", "c2", "c3"]


def test_a_campaign_that_appears_catches_up_on_nothing() -> None:
    worker = OneWorker("m")
    old, new = candidate("old", campaign=1), candidate("new", campaign=2)
    for _ in range(500):
        worker.serve(old)

    served = [worker.serve(old, new) for _ in range(20)]

    assert served.count("new") == 10
    assert "new" in served[:2]


def test_a_campaign_that_comes_back_catches_up_on_nothing_and_has_forgotten_nothing() -> None:
    worker = OneWorker("m")
    steady, moody = candidate("steady", campaign=1), candidate("moody", campaign=2)
    for _ in range(10):
        worker.serve(steady, moody)
    worker.serve(moody, seconds=20.0)  # alone for a moment: served more than the other
    for _ in range(5):
        worker.serve(steady)

    assert [worker.serve(steady, moody) for _ in range(10)] == ["steady"] * 10
    for _ in range(500):
        worker.serve(steady)
    assert [worker.serve(steady, moody) for _ in range(20)].count("moody") == 10


def test_campaigns_served_only_in_the_gaps_of_a_higher_priority_share_the_gaps() -> None:
    worker = OneWorker("m")
    high = candidate("high", campaign=9, priority=1)
    low = [candidate(f"low{number}", campaign=number) for number in (1, 2)]

    served = []
    for _ in range(20):
        assert worker.serve(high, *low) == "high"
        served.append(worker.serve(*low))

    assert served.count("low1") == served.count("low2") == 10


def test_a_campaign_served_far_ahead_waits_no_longer_than_the_bound_for_it() -> None:
    worker = OneWorker("m")
    ahead, other = candidate("ahead", campaign=1), candidate("other", campaign=2)
    worker.serve(ahead, other, seconds=10 * BOUND)

    served = [worker.serve(ahead, other) for _ in range(int(BOUND) + 4)]

    assert "ahead" in served


def test_a_model_with_room_on_the_device_is_loaded_without_waiting() -> None:
    worker = OneWorker("captions", places=2)
    caption = candidate("caption", Stage.CAPTION, model="captions")
    generate = candidate("generate", Stage.GENERATE, model="generator")

    assert worker.order(caption, generate) == ["generate", "caption"]


def test_within_the_bound_the_loaded_model_goes_on_and_then_the_other_has_its_turn() -> None:
    worker = OneWorker("a")
    loaded, other = candidate("loaded", model="a", campaign=1), candidate("other", model="b", campaign=2)

    served = [worker.serve(loaded, other) for _ in range(int(4 * BOUND))]

    turns = [int(BOUND), int(BOUND) + 1, int(BOUND) + 1]
    assert served[: sum(turns)] == ["loaded"] * turns[0] + ["other"] * turns[1] + ["loaded"] * turns[2]


def test_a_model_whose_work_ends_leaves_at_once() -> None:
    worker = OneWorker("a")
    other = candidate("other", model="b")

    assert worker.order(other) == ["other"]


def test_a_model_that_had_no_work_meanwhile_begins_to_wait_anew() -> None:
    worker = OneWorker("a")
    loaded, other = candidate("loaded", model="a"), candidate("other", model="b", campaign=2)
    worker.order(loaded, other)
    worker.clock.moment += BOUND / 2
    worker.order(loaded)
    worker.clock.moment += BOUND

    assert worker.order(loaded, other)[0] == "loaded"


def test_a_change_of_models_waits_for_the_batches_under_way() -> None:
    worker = OneWorker("a")
    loaded, other, light = candidate("loaded", model="a"), candidate("other", model="b", campaign=2), candidate("light", model="")
    worker.scheduler.ranked([loaded, other])
    worker.scheduler.note_chosen(loaded)

    assert worker.order(other, light) == ["light"]
    assert worker.order(loaded, other) == ["loaded"]
    worker.clock.moment += BOUND
    assert worker.order(loaded, other) == []
    worker.scheduler.note_finished("loaded", BOUND)
    assert worker.order(loaded, other) == ["other", "loaded"]


def test_what_others_took_first_leaves_the_waiting_model_as_the_next_best() -> None:
    worker = OneWorker("a")
    loaded, other = candidate("loaded", model="a"), candidate("other", model="b", campaign=2)

    assert worker.order(loaded, other) == ["loaded", "other"]


def test_a_scheduler_prefers_the_key_it_chose_last_for_a_while() -> None:
    worker = OneWorker("m")
    only = candidate("a")
    assert worker.scheduler.preferred() is None

    worker.scheduler.ranked([only])
    worker.scheduler.note_chosen(only)

    assert worker.scheduler.preferred() == only
    worker.clock.moment += STICK_SECONDS * 0.9
    worker.scheduler.note_preferred(only)
    assert worker.scheduler.preferred() == only
    worker.clock.moment += STICK_SECONDS * 0.2
    assert worker.scheduler.preferred() is None


def test_beside_others_it_asks_again_much_sooner() -> None:
    worker = OneWorker("m")
    found = [candidate("a"), candidate("b", campaign=2)]

    worker.scheduler.ranked(found)
    worker.scheduler.note_chosen(found[0])

    worker.clock.moment += CONTESTED_STICK_SECONDS / 2
    assert worker.scheduler.preferred() == found[0]
    worker.clock.moment += CONTESTED_STICK_SECONDS
    assert worker.scheduler.preferred() is None


def test_a_key_whose_model_is_broken_is_left_out_until_its_time_is_over() -> None:
    worker = OneWorker("m")
    scheduler = worker.scheduler
    scheduler.note_chosen(candidate("a"))
    scheduler.note_finished("a", 0.0)

    scheduler.note_broken("a", "hub/one: no such model")

    assert scheduler.preferred() is None
    assert worker.order(candidate("a"), candidate("b")) == ["b"]
    assert (scheduler.broken_keys, scheduler.troubles) == ({"a"}, ["hub/one: no such model"])
    worker.clock.moment += TROUBLE_SECONDS
    assert set(worker.order(candidate("a"), candidate("b"))) == {"a", "b"}
    assert (scheduler.broken_keys, scheduler.troubles) == (set(), [])


def test_one_cause_that_breaks_several_keys_is_named_once() -> None:
    scheduler = OneWorker().scheduler

    for key in ("c1/generate/radical", "c1/generate/moderate"):
        scheduler.note_broken(key, "sdxl is absent")

    assert scheduler.troubles == ["sdxl is absent"]
