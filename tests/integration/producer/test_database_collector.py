from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from db.enums import FailureKind, Stage
from db.errors import DatabaseUnavailable
from db.monitoring import attempt_tally
from db.monitoring.queue_facts import read_queue_facts
from db.monitoring.worker_registry import register_worker
from db.runtime import Runtime
from db.settings import Settings
from producer.metrics import database_collector
from producer.metrics.database_collector import KEPT_SECONDS, DatabaseCollector
from producer.metrics.descriptions import DATABASE_METRICS
from tests.builders import harness_of

if TYPE_CHECKING:
    from pathlib import Path

    from db.engine import Database


class Scraper:
    """Prometheus, with a clock of the test."""

    def __init__(self, runtime: Runtime) -> None:
        self.now = 0.0
        self.registry = CollectorRegistry()
        self.registry.register(DatabaseCollector(runtime, clock=lambda: self.now))

    def scrape(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        families = text_string_to_metric_families(generate_latest(self.registry).decode())
        return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}

    def value(self, name: str, **labels: str) -> float | None:
        return self.scrape().get((name, frozenset(labels.items())))

    def later(self, seconds: float = 1000.0) -> None:
        self.now += seconds


@pytest.fixture
def scraper(sqlite_database: Database, tmp_path: Path) -> Scraper:
    runtime = Runtime(Settings(data_dir=tmp_path))
    runtime.database = sqlite_database
    return Scraper(runtime)


def test_what_the_database_knows_is_told(sqlite_database: Database, scraper: Scraper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_tally, "_UPPER", _counting_at_once(monkeypatch))
    harness = harness_of(sqlite_database, 4, name="autumn")
    facts = {"device": "cuda", "stages": list(Stage), "threads": 3, "versions": {}}
    for pid in (1, 2):
        register_worker(sqlite_database, worker_id=f"gpu{pid}@h", host="h", pid=pid, **facts)  # type: ignore[arg-type]
    of_caption = {"campaign": "autumn", "stage": "caption"}
    assert scraper.value("paragone_jobs_done_total", **of_caption) == 0, "its first increase must be seen as one"

    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.TRANSIENT)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    harness.run(Stage.PROMPT, Stage.GENERATE)
    harness.claim(Stage.CAPTION, limit=1)
    scraper.later()

    states = {"waiting": 0, "ready": 1, "running": 1, "done": 1, "failed": 1, "cancelled": 0}
    for state, count in states.items():
        assert scraper.value("paragone_jobs", **of_caption, state=state) == count, state
    assert scraper.value("paragone_jobs_done_total", **of_caption) == 1
    assert scraper.value("paragone_job_attempts_failed_total", **of_caption, kind="input") == 1
    assert scraper.value("paragone_job_attempts_failed_total", **of_caption, kind="transient") == 1
    assert scraper.value("paragone_failed_jobs", campaign="autumn", kind="input") == 1
    assert scraper.value("paragone_images", campaign="autumn") == len(harness.jobs(Stage.GENERATE)) / 4
    assert scraper.value("paragone_leases") == 1
    assert scraper.value("paragone_workers", host="h", device="cuda") == 2
    assert scraper.value("paragone_worker_threads", host="h", device="cuda") == 6
    assert scraper.value("paragone_stage_paused", **of_caption) == 0
    recaption = scraper.value("paragone_oldest_ready_job_age_seconds", campaign="autumn", stage="recaption")
    assert recaption is not None
    assert 0 <= recaption < 100
    assert scraper.value("paragone_oldest_ready_job_age_seconds", **of_caption) is None, "one is running, one backs off"
    assert {name for name, _ in scraper.scrape()} == {one.name for one in DATABASE_METRICS}


def test_an_answer_is_given_again_for_a_while(sqlite_database: Database, scraper: Scraper) -> None:
    harness_of(sqlite_database, 2, name="first")
    ready = {"campaign": "first", "stage": "caption", "state": "ready"}
    assert scraper.value("paragone_jobs", **ready) == 2
    harness_of(sqlite_database, name="second")
    assert scraper.value("paragone_jobs", **(ready | {"campaign": "second"})) is None
    scraper.later(KEPT_SECONDS)
    assert scraper.value("paragone_jobs", **(ready | {"campaign": "second"})) == 2


def test_a_database_that_is_slow_to_read_is_read_less_often(
    sqlite_database: Database, scraper: Scraper, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness_of(sqlite_database, 1)
    reads = []
    read = read_queue_facts

    def slowly(*arguments: object, **named: object) -> object:
        reads.append(scraper.now)
        scraper.later(3.0)
        return read(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(database_collector, "read_queue_facts", slowly)
    for _ in range(60):
        scraper.scrape()
        scraper.later(1.0)
    assert reads == [0.0, 33.0]


def test_a_database_that_is_away_is_told_as_such_alone_and_in_one_line(
    sqlite_database: Database, scraper: Scraper, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    harness_of(sqlite_database, 1)
    assert scraper.value("paragone_up") == 1

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(database_collector, "read_queue_facts", away)
        for _ in range(3):
            scraper.later()
            assert scraper.scrape() == {("paragone_up", frozenset()): 0.0}
    scraper.later()
    assert scraper.value("paragone_up") == 1
    said = [record.getMessage() for record in caplog.records if record.name == database_collector.__name__]
    assert len(said) == 2
    assert "PARAGONE_DATABASE_URL" in said[0]
    assert said[1] == "the database is back"


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////nowhere/at/all.sqlite"])
def test_a_database_that_was_never_there_is_away_too(tmp_path: Path, url: str) -> None:
    scraper = Scraper(Runtime(Settings(data_dir=tmp_path, database_url=SecretStr(url))))
    assert scraper.scrape() == {("paragone_up", frozenset()): 0.0}


def _counting_at_once(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(attempt_tally, "SETTLED_SECONDS", -60.0)
    return attempt_tally.upper_bound(most=1000)
