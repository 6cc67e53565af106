"""A campaign whose prompts a language model writes: at an endpoint that misbehaves, and on the worker's own device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from db.enums import Stage
from db.monitoring.written_prompts import PromptFilter, writing_counts, written_prompts
from db.tables import attempts, model_revisions, prompts
from tests.builders.generator_tokenizer import save_generator_tokenizer
from tests.builders.tiny_chat import save_tiny_chat
from tests.integration.workers.conftest import WorkerHarness, wait_for
from tests.services.chat_server import ServerAnswer, chat_server, good_prompt, refused, said
from workers import outages
from workers import worker as worker_module
from workers.backends import chat_service
from workers.backends.chat import ChatPrompts
from workers.backends.chat_endpoint import ChatEndpointPrompts
from workers.batches.batch_run import StageRunner
from workers.stages.prompt import PromptStage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import CampaignHarness
    from tests.integration.workers.scripted import Scripted
    from tests.services.chat_server import ChatServer


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_generator_tokenizer(tmp_path_factory.mktemp("generator"))


class Campaigns:
    """Plans campaigns whose prompts are real; every other stage is a fake."""

    def __init__(self, fleet: WorkerHarness, backends: dict[str, Any], generator: Path) -> None:
        backends |= {"chat-endpoint": ChatEndpointPrompts, "chat": ChatPrompts}
        fleet.runners[Stage.PROMPT] = StageRunner(PromptStage())
        self.fleet = fleet
        self.generator = generator

    def plan(self, artworks: int, **prompt: Any) -> CampaignHarness:
        level = {"backend": "plain", "batch": 4, "model": str(self.generator), "steps": 4, "strength": 0.5, "brief": "radical"}
        return self.fleet.harness(artworks, prompt={"batch": 4, **prompt}, level={"only": level})

    def at_endpoint(self, server: ChatServer, **settings: Any) -> CampaignHarness:
        """Of 12 artworks."""
        facts = {"url": server.url, "patience_seconds": 0.0, **settings}
        return self.plan(12, backend="chat-endpoint", model="some-llm", settings=facts)


@pytest.fixture
def campaigns(fleet: WorkerHarness, backends: dict[str, type[Scripted]], generator: Path) -> Campaigns:
    return Campaigns(fleet, backends, generator)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setattr(chat_service, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(outages, "FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(outages, "LONGEST_PAUSE_SECONDS", 0.4)
    for name in ("PARAGONE_PROMPT_ENDPOINT", "PARAGONE_PROMPT_MOST_TOKENS", "PARAGONE_PROMPT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with chat_server() as server:
        yield server


def test_every_job_is_done_at_its_first_attempt_however_the_endpoint_misbehaves(
    fleet: WorkerHarness, campaigns: Campaigns, server: ChatServer
) -> None:
    bad = [
        said("I'm sorry, I can't help with that."),
        said("boats of brass in the style of Claude Monet"),
        said('{"prompt": "a lighthouse of green', finish="length"),
        said("I cannot create this image."),
        refused(400, "content policy"),
        refused(500, "assertion failed"),
    ]
    chosen: dict[str, ServerAnswer | None] = {}

    def answer(request: dict[str, Any]) -> ServerAnswer:
        about = request["messages"][0]["content"]
        if about == "Say yes.":
            return said("yes")
        place = len(chosen)
        mine = chosen.setdefault(about, bad[place // 2] if place % 2 and place // 2 < len(bad) else None)
        return mine or said(good_prompt(request))

    server.answer = answer
    harness = campaigns.at_endpoint(server, concurrency=1, patience_seconds=0.2, ask_again=1)

    fleet.worker().on_wake_up()

    assert harness.counts() == {str(stage): {"done": 12} for stage in Stage}
    assert harness.outcomes() == {"done": 48}
    counts = writing_counts(fleet.database, harness.campaign.id)
    assert (counts.prompts, counts.by_model, counts.fallback, counts.condensed) == (12, 6, 6, 0)
    assert counts.faults == {"refusal": 4, "named": 2, "unfinished": 2, "refused-by-service": 1, "broken-by-service": 1}
    rows = harness.rows(prompts)
    assert {row["model"] for row in rows} == {"some-llm"}
    assert all(row["text"] and 1 <= row["tokens"] <= 75 for row in rows)
    fallbacks = written_prompts(fleet.database, harness.campaign.id, where=PromptFilter.FALLBACK)
    assert len(fallbacks) == 6
    assert all(one.writing is not None and one.writing["fallback"] for one in fallbacks)
    assert len(written_prompts(fleet.database, harness.campaign.id, where=PromptFilter.BY_MODEL)) == 6
    assert len(written_prompts(fleet.database, harness.campaign.id, where=PromptFilter.ASKED_AGAIN)) == 4
    assert written_prompts(fleet.database, harness.campaign.id, where=PromptFilter.CONDENSED) == []


def test_an_outage_spends_no_attempt_and_work_goes_on_when_it_is_over(
    fleet: WorkerHarness,
    campaigns: Campaigns,
    server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "PROBE_SECONDS", 0.05)
    server.answer = lambda _: refused(503, "loading the model")
    harness = campaigns.at_endpoint(server)
    worker = fleet.worker(look_seconds=0.02)
    worker.start()
    try:
        wait_for(lambda: len(server.requests) >= 3)
        assert harness.states(Stage.PROMPT).get("done") is None
        assert {row["attempt_count"] for row in harness.jobs(Stage.PROMPT)} == {0}
        server.answer = lambda request: said(good_prompt(request))
        wait_for(lambda: harness.counts() == {str(stage): {"done": 12} for stage in Stage})
    finally:
        worker.close()

    assert harness.outcomes() == {"done": 48}
    assert worker._context.outages.troubles == []
    assert writing_counts(fleet.database, harness.campaign.id).fallback == 0


@pytest.mark.parametrize(
    "refusal",
    [
        (refused(401, "wrong key"), {}, "401 Unauthorized wrong key: check PARAGONE_PROMPT_API_KEY"),
        (said("a harbour of glass, towers of ice, wet light"), {"most_tokens": 60, "concurrency": 1}, "the cap of 60 tokens"),
    ],
)
def test_a_wrong_key_or_a_cap_that_is_spent_spends_no_attempt_and_is_told_once(
    fleet: WorkerHarness, campaigns: Campaigns, server: ChatServer, refusal: tuple[ServerAnswer, dict[str, Any], str]
) -> None:
    answer, settings, text = refusal
    server.answer = lambda _: answer
    harness = campaigns.at_endpoint(server, **settings)
    worker = fleet.worker()

    worker.on_wake_up()
    worker.on_wake_up()

    assert harness.states(Stage.PROMPT) == {"ready": 12}
    assert {(row["attempt_count"], row["error_kind"]) for row in harness.jobs(Stage.PROMPT)} == {(0, None)}
    assert len(harness.rows(attempts)) == 12, "those of the captions"
    (trouble,) = worker.scheduler.troubles
    assert text in trouble


def test_a_chat_model_on_the_device_writes_the_prompts_of_a_campaign(
    fleet: WorkerHarness, campaigns: Campaigns, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chat = save_tiny_chat(tmp_path_factory.mktemp("chat"))
    settings = {"max_new_tokens": 16, "ask_again": 0}
    harness = campaigns.plan(6, backend="chat", model=str(chat), settings=settings)

    fleet.worker().on_wake_up()

    assert harness.counts() == {str(stage): {"done": 6} for stage in Stage}
    assert harness.outcomes() == {"done": 24}
    counts = writing_counts(fleet.database, harness.campaign.id)
    assert counts.prompts == 6
    assert counts.by_model >= 4, counts
    rows = harness.rows(prompts)
    assert {row["model"] for row in rows} == {str(chat)}
    assert all(row["revision"].startswith("sha256:") for row in rows)
    frozen = {row["model"] for row in harness.rows(model_revisions)}
    assert {f"chat:{chat}", f"chat/tokenizer:{campaigns.generator}"} <= frozen
