from __future__ import annotations

import pytest

from db.enums import Stage
from db.errors import DatabaseUnavailable, StoreUnavailable
from db.jobs.batch_keys import Parameters
from db.jobs.claim import Batch, BatchCandidate
from workers.outages import FORGET_SECONDS, STEADY_SECONDS, STORE, Outages, endpoint

LLM = endpoint("https://llm.example.org/v1")
PARAMETERS = Parameters(backend="b", model="", revision="", dtype="auto", batch=8, models_directory="", settings={}, picture={})


def candidate(stage: Stage, batch_key: str = "key") -> BatchCandidate:
    return BatchCandidate(batch_key=batch_key, campaign_id=1, stage=stage, parameters=PARAMETERS, priority=0, has_suspects=False)


def batch(stage: Stage, batch_key: str, token: str = "token") -> Batch:  # noqa: S107  # names a lease
    return Batch(token=token, worker_id="w", batch_key=batch_key, campaign_id=1, stage=stage, parameters=PARAMETERS, jobs=())


class Weather:
    """Outages under a clock that the test moves, and a store that is away as long as the test says."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.outages = Outages(clock=lambda: self.moment)
        self.fault: Exception | None = StoreUnavailable("the store at /mnt/store is not there: mount it")
        self.probes: list[float] = []

    def check(self) -> None:
        self.probes.append(self.moment)
        if self.fault is not None:
            raise self.fault

    def report_store(self) -> None:
        self.outages.report(STORE, str(self.fault), probe=self.check, stages=[Stage.CAPTION, Stage.GENERATE])

    def beat_for(self, seconds: int) -> int:
        """A beat each second; returns how many of them freed something."""
        freed = 0
        for _ in range(seconds):
            self.moment += 1
            freed += self.outages.beat()
        return freed

    def blocked(self, *keys: str) -> list[str]:
        return [key for key in keys if self.outages.blocks(candidate(Stage.PROMPT, key))]


@pytest.fixture
def weather() -> Weather:
    return Weather()


def test_only_what_needs_the_store_is_blocked_while_it_is_away(weather: Weather) -> None:
    weather.report_store()

    assert {stage for stage in Stage if weather.outages.blocks(candidate(stage))} == {Stage.CAPTION, Stage.GENERATE}
    assert weather.outages.troubles == ["the store at /mnt/store is not there: mount it"]
    assert weather.outages.is_away(STORE)


def test_it_is_probed_with_growing_pauses_and_opened_when_a_probe_succeeds(weather: Weather) -> None:
    weather.report_store()

    assert weather.beat_for(40) == 0
    assert [round(moment - 1000) for moment in weather.probes] == [2, 6, 14, 24, 34]

    weather.fault = None
    assert weather.beat_for(10) == 1
    assert not weather.outages.blocks(candidate(Stage.CAPTION))
    assert weather.outages.troubles == []
    assert weather.beat_for(20) == 0
    assert len(weather.probes) == 6


def test_one_line_tells_that_it_went_and_one_that_it_is_back(weather: Weather, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(50):
        weather.report_store()
    weather.beat_for(42)
    weather.report_store()
    weather.fault = None
    weather.beat_for(10)

    assert [record.getMessage() for record in caplog.records] == [
        "the image store is unavailable, what needs it waits: the store at /mnt/store is not there: mount it",
        "the image store is back after 44 s",
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_what_comes_and_goes_is_tried_less_and_less_often(weather: Weather, caplog: pytest.LogCaptureFixture) -> None:
    weather.fault = None
    for _ in range(600):
        weather.moment += 1
        weather.report_store()
        weather.outages.beat()

    assert len(caplog.records) < 150, "two lines in ten seconds at most"
    weather.beat_for(20)
    weather.moment += STEADY_SECONDS
    weather.report_store()
    probed = len(weather.probes)
    weather.beat_for(2)
    assert len(weather.probes) == probed + 1


def test_a_database_that_is_away_says_nothing_about_the_store(weather: Weather, caplog: pytest.LogCaptureFixture) -> None:
    weather.report_store()
    weather.fault = DatabaseUnavailable("the database does not answer")

    assert weather.beat_for(20) == 0
    assert weather.outages.troubles == ["the store at /mnt/store is not there: mount it"]
    assert len(caplog.records) == 1


class TestStart:
    """Before the store has answered once."""

    def test_what_needs_it_waits_for_the_first_answer_which_is_not_worth_a_line(
        self, weather: Weather, caplog: pytest.LogCaptureFixture
    ) -> None:
        weather.fault = None
        weather.outages.await_first_answer(STORE, probe=weather.check, stages=[Stage.CAPTION])
        assert weather.outages.blocks(candidate(Stage.CAPTION))
        assert not weather.outages.blocks(candidate(Stage.PROMPT))
        assert weather.outages.troubles == ["the image store has not answered yet"]

        assert weather.outages.beat()

        assert not weather.outages.blocks(candidate(Stage.CAPTION))
        assert caplog.records == []

    def test_a_store_that_is_away_is_reported_with_its_cause(self, weather: Weather, caplog: pytest.LogCaptureFixture) -> None:
        weather.outages.await_first_answer(STORE, probe=weather.check, stages=[Stage.CAPTION])

        assert not weather.outages.beat()
        assert weather.outages.troubles == ["the store at /mnt/store is not there: mount it"]
        weather.beat_for(20)
        weather.fault = None
        weather.beat_for(10)

        assert len(caplog.records) == 2


class TestEndpoint:
    """A service that only a batch can try."""

    @pytest.fixture
    def reported(self, weather: Weather) -> Weather:
        weather.outages.report(LLM, "the endpoint does not answer", batch_keys=["c1/prompt/radical"])
        return weather

    def test_only_the_keys_that_met_it_are_blocked(self, reported: Weather) -> None:
        assert reported.blocked("c1/prompt/radical", "c1/prompt/moderate") == ["c1/prompt/radical"]

        reported.outages.report(LLM, "the endpoint does not answer", batch_keys=["c1/prompt/moderate"])
        assert reported.blocked("c1/prompt/radical", "c1/prompt/moderate") == ["c1/prompt/radical", "c1/prompt/moderate"]

    def test_after_the_pause_one_batch_tries_it_and_the_others_wait(self, reported: Weather) -> None:
        early = batch(Stage.PROMPT, "c1/prompt/radical", "early")
        with reported.outages.trial(early) as admitted:
            assert not admitted
        reported.moment += 2

        assert reported.blocked("c1/prompt/radical") == []
        with reported.outages.trial(batch(Stage.PROMPT, "c1/prompt/radical", "first")) as first:
            assert first
            assert reported.blocked("c1/prompt/radical") == ["c1/prompt/radical"]
            with reported.outages.trial(batch(Stage.PROMPT, "c1/prompt/radical", "second")) as second:
                assert not second
            with reported.outages.trial(batch(Stage.PROMPT, "c1/prompt/moderate", "other")) as other:
                assert other

    def test_a_trial_that_brought_nothing_lengthens_the_pause(self, reported: Weather) -> None:
        reported.moment += 2
        with reported.outages.trial(batch(Stage.PROMPT, "c1/prompt/radical")):
            reported.outages.report(LLM, "the endpoint does not answer", batch_keys=["c1/prompt/radical"])

        reported.moment += 3
        assert reported.blocked("c1/prompt/radical") == ["c1/prompt/radical"]
        reported.moment += 1
        assert reported.blocked("c1/prompt/radical") == []

    def test_an_answer_ends_it_for_all_its_keys(self, reported: Weather, caplog: pytest.LogCaptureFixture) -> None:
        reported.outages.report(LLM, "the endpoint does not answer", batch_keys=["c1/prompt/moderate"])
        reported.moment += 2
        reported.outages.note_answer("c1/prompt/radical", asked_at=reported.moment)

        assert reported.blocked("c1/prompt/radical", "c1/prompt/moderate") == []
        assert reported.outages.troubles == []
        assert caplog.records[-1].getMessage() == "the endpoint https://llm.example.org/v1 is back after 2 s"

    def test_an_answer_to_what_was_asked_before_it_went_away_proves_nothing(self, reported: Weather) -> None:
        reported.outages.note_answer("c1/prompt/radical", asked_at=reported.moment - 1)

        assert reported.blocked("c1/prompt/radical") == ["c1/prompt/radical"]

    def test_it_is_forgotten_when_nothing_needs_it_any_more(self, reported: Weather) -> None:
        reported.moment += FORGET_SECONDS
        reported.blocked("c1/prompt/radical")
        reported.outages.beat()
        assert reported.outages.troubles == ["the endpoint does not answer"]

        reported.moment += FORGET_SECONDS + 1
        reported.outages.beat()
        assert reported.outages.troubles == []


def test_a_batch_that_needs_nothing_that_is_away_is_admitted(weather: Weather) -> None:
    weather.report_store()

    with weather.outages.trial(batch(Stage.PROMPT, "key")) as admitted:
        assert admitted
    with weather.outages.trial(batch(Stage.CAPTION, "key")) as admitted:
        assert not admitted


@pytest.mark.parametrize(("error", "text"), [(OSError("input/output\n error"), "input/output error"), (RuntimeError(), "RuntimeError")])
def test_any_error_of_a_probe_keeps_it_shut(error: Exception, text: str, weather: Weather) -> None:
    weather.report_store()
    weather.fault = error
    weather.beat_for(10)

    assert weather.outages.troubles == [text]
