"""The endpoint that misbehaves: whatever it does, each request gets a prompt, or goes back as nobody's fault."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders.generator_tokenizer import save_generator_tokenizer
from tests.services.chat_server import ServerAnswer, chat_server, good_prompt, refused, said
from workers.backends import chat_service
from workers.backends.chat_endpoint import ChatEndpointPrompts
from workers.backends.chat_http import wait_asked
from workers.backends.chat_service import ChatService
from workers.backends.compose import compose
from workers.backends.errors import EndpointUnavailable, ModelUnavailable
from workers.backends.protocol import ModelSource, PromptRequest
from workers.backends.settings import ChatEndpointSettings, CountedBy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.services.chat_server import ChatServer
    from workers.backends.protocol import PromptResult

KEY = "sk-hunter2-hunter2"


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_generator_tokenizer(tmp_path_factory.mktemp("generator"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setattr(chat_service, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(chat_service, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setenv("PARAGONE_PROMPT_API_KEY", KEY)
    for name in ("PARAGONE_PROMPT_ENDPOINT", "PARAGONE_PROMPT_MOST_TOKENS"):
        monkeypatch.delenv(name, raising=False)
    with chat_server() as server:
        yield server


class Writer:
    """The backend as a worker has it."""

    def __init__(self, url: str, generator: Path) -> None:
        self._defaults: dict[str, Any] = {"url": url, "patience_seconds": 0.3, "answer_seconds": 20.0, "ask_again": 2}
        self._generator = generator
        self._backend = ChatEndpointPrompts(model=ModelSource(location="some-llm"), device="cpu")
        self._backend.load()

    def settings(self, **changed: Any) -> ChatEndpointSettings:
        facts: dict[str, Any] = {"max_tokens": 75, "target_tokens": 55, "brief_set": ("radical",)}
        return ChatEndpointSettings(**{**facts, "counted_by": CountedBy(model=str(self._generator)), **self._defaults, **changed})

    def write(self, *requests: PromptRequest, **changed: Any) -> list[PromptResult]:
        settings = self.settings(**changed)
        self._backend.count_with(settings)
        return list(self._backend.run(requests or batch(3), settings))

    def count(self, text: str) -> int:
        return self._backend._counters.of(self.settings())(text)


@pytest.fixture
def writer(server: ChatServer, generator: Path) -> Writer:
    return Writer(server.url, generator)


def batch(number: int) -> list[PromptRequest]:
    facts = {"style": "Realism", "artist": "Berthe Morisot", "title": "Lorient", "level": "radical"}
    return [PromptRequest(caption=f"a harbour with {seed} boats", seed=seed, **facts) for seed in range(number)]


def faults(result: PromptResult) -> list[str]:
    assert result.writing is not None
    return list(result.writing["faults"])


def fell_back(result: PromptResult) -> bool:
    assert result.writing is not None
    return bool(result.writing["fallback"])


def only_for(seed: int, bad: ServerAnswer) -> Callable[[dict[str, Any]], ServerAnswer]:
    """The bad answer for one artwork, good ones for all others."""
    return lambda request: bad if f"with {seed} boats" in request["messages"][0]["content"] else said(good_prompt({"seed": 0, **request}))


def test_prompts_are_what_the_endpoint_says(writer: Writer, server: ChatServer) -> None:
    results = writer.write(*batch(5))

    assert [result.text for result in results] == [good_prompt({"seed": seed}) for seed in range(5)]
    assert all(result.tokens == writer.count(result.text) for result in results)
    assert [result.writing for result in results] == [
        {"writer": "chat-endpoint", "asked": 1, "faults": [], "condensed": None, "fallback": False}
    ] * 5
    assert server.paths == ["/v1/chat/completions"] * 5
    assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    assert {request["model"] for request in server.requests} == {"some-llm"}
    assert all(request["response_format"]["type"] == "json_schema" for request in server.requests)


def test_answers_by_the_schema_are_read(writer: Writer, server: ChatServer) -> None:
    server.answer = lambda request: said(f'{{"prompt": "{good_prompt(request)}"}}')

    assert [result.text for result in writer.write()] == [good_prompt({"seed": seed}) for seed in range(3)]


def test_no_more_requests_than_allowed_run_at_one_time(writer: Writer, server: ChatServer) -> None:
    writer.write(*batch(12), concurrency=3)

    assert len(server.requests) == 12
    assert server.together <= 3


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (said("I'm sorry, but I can't help with that."), "refusal"),
        (said(None, refusal="I can't help with that."), "refusal"),
        (said("", finish="content_filter"), "refusal"),
        (said("boats of brass in the style of Claude Monet"), "named"),
        (said("boats of brass, as Berthe Morisot saw them"), "named"),
        (said("Transform 'the boats' into machines of brass"), "meta"),
        (said(""), "empty"),
        (said(None), "empty"),
        (said('{"prompt": "a lighthouse of green glass, neon', finish="length"), "unfinished"),
        (said('{"prompt": "a lighthouse of green glass, neon'), "unfinished"),
        (refused(400, "this content is not allowed"), "refused-by-service"),
        (refused(403, "flagged"), "refused-by-service"),
        (refused(422, "unprocessable"), "refused-by-service"),
        (refused(500, "assertion failed"), "broken-by-service"),
        (ServerAnswer(body=b'{"choices": [{"mess'), "broken-by-service"),
        (ServerAnswer(body=b'{"choices": []}'), "broken-by-service"),
        (ServerAnswer(body=b"[]"), "broken-by-service"),
        (ServerAnswer(body=b'"text"'), "broken-by-service"),
        (ServerAnswer(body=b"\xff\xfe"), "broken-by-service"),
    ],
)
def test_one_artwork_that_gets_no_usable_answer_is_written_without_the_model(
    writer: Writer, server: ChatServer, answer: ServerAnswer, fault: str
) -> None:
    server.answer = only_for(1, answer)
    requests = batch(3)
    results = writer.write(*requests, concurrency=1)

    assert [fell_back(result) for result in results] == [False, True, False]
    assert set(faults(results[1])) == {fault}
    composed = compose(requests[1], writer.count, writer.settings())
    assert (results[1].text, results[1].tokens) == (composed.text, composed.tokens)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (refused(429, "slow down"), "429 Too Many Requests slow down"),
        (refused(503, "loading the model"), "503 Service Unavailable loading the model"),
        (refused(502), "502 Bad Gateway"),
        (refused(504), "504 Gateway Timeout"),
        (refused(500, "out of memory"), "500 Internal Server Error out of memory"),
        (ServerAnswer(body=b'{"choices": [{"mess'), "an answer that cannot be read"),
        (ServerAnswer(body=b'{"choices": [' + b" " * 4000, cut=True), "the answer breaks off"),
        (ServerAnswer(hold=True), "no answer within 0.3 s"),
        (ServerAnswer(body=b" " * 5000, drip=True), "no answer within 0.3 s"),
    ],
)
def test_an_endpoint_that_answers_nobody_is_away(writer: Writer, server: ChatServer, answer: ServerAnswer, text: str) -> None:
    server.answer = lambda _: answer

    with pytest.raises(EndpointUnavailable) as outage:
        writer.write(answer_seconds=0.3)

    assert str(outage.value).startswith(f"the endpoint {server.url} is unavailable: ")
    assert text in str(outage.value) or "another request" in str(outage.value)
    server.answer = lambda request: said(good_prompt(request))
    assert not any(fell_back(result) for result in writer.write()), "nothing of the outage is left"


def test_nobody_listens(writer: Writer) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound, and not listening
        with pytest.raises(EndpointUnavailable, match=r"Connection refused|another request"):
            writer.write(url=f"http://127.0.0.1:{unheard.getsockname()[1]}/v1")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (refused(401, f"Incorrect API key provided: {KEY}"), "Incorrect API key provided: ***: check PARAGONE_PROMPT_API_KEY"),
        (refused(402, "no money"), "402 Payment Required no money"),
        (refused(404, "no such model"), "404 Not Found no such model: check the URL, which mostly ends in /v1, and prompt.model"),
        (refused(400, "unknown model"), "400 Bad Request unknown model: check prompt.model and prompt.settings"),
        (refused(403, "not for you"), "403 Forbidden not for you"),
        (refused(429, "insufficient_quota: you have spent it"), "insufficient_quota"),
        (ServerAnswer(body=b"<html>log in</html>", content_type="text/html"), "answers with text/html instead of JSON"),
    ],
)
def test_what_refuses_whoever_asks_is_no_artwork_s_fault(writer: Writer, server: ChatServer, answer: ServerAnswer, text: str) -> None:
    server.answer = lambda _: answer

    with pytest.raises(ModelUnavailable) as refusal:
        writer.write()

    assert text in str(refusal.value)
    assert KEY not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_redirect_is_not_followed_and_the_key_stays_here(writer: Writer, server: ChatServer) -> None:
    with chat_server() as elsewhere:
        for status in (301, 302, 307, 308):
            server.answer = lambda _, status=status: refused(status, Location=f"{elsewhere.url}/chat/completions")  # type: ignore[misc]
            with pytest.raises(ModelUnavailable, match="redirects"):
                writer.write()

        assert elsewhere.paths == []


def test_a_wait_that_is_asked_for_is_kept(server: ChatServer, writer: Writer) -> None:
    slept: list[float] = []
    answers = [refused(429, Retry_After="7"), said(good_prompt({"seed": 1}))]
    server.answer = lambda _: answers.pop(0)
    service = ChatService(server.url, model="some-llm", sleep=slept.append)

    from workers.backends.answers import Conversation, Message

    (answer,) = service.ask([Conversation(messages=(Message(role="user", content="?"),), seed=1)], writer.settings(patience_seconds=30))

    assert answer.text == good_prompt({"seed": 1})
    assert slept
    assert 6.5 <= slept[0] <= 7
    assert len(server.requests) == 2


def test_a_wait_that_is_too_long_is_kept_by_asking_nothing_meanwhile(server: ChatServer, writer: Writer) -> None:
    server.answer = lambda _: refused(503, Retry_After=format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True))
    with pytest.raises(EndpointUnavailable):
        writer.write(*batch(1))
    asked = len(server.requests)

    with pytest.raises(EndpointUnavailable, match=r"it asks to wait [56]\d\d s"):
        writer.write(*batch(1))

    assert len(server.requests) == asked == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("0", 0.0),
        ("-3", 0.0),
        ("1.5", 1.5),
        ("12", 12.0),
        ("99999999", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 2199 23:59:59 GMT", 3600.0),
    ],
)
def test_retry_after_holds_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert wait_asked(header) == seconds


@pytest.mark.parametrize("unknown", ["response_format", "seed"])
def test_a_server_that_does_not_know_a_field_is_asked_without_it(writer: Writer, server: ChatServer, unknown: str) -> None:
    def answer(request: dict[str, Any]) -> ServerAnswer:
        if unknown in request:
            return refused(400, f"unknown field {unknown}")
        return said(good_prompt({"seed": request["messages"][0]["content"].split(" boats")[0].split()[-1]}))

    server.answer = answer
    assert not any(fell_back(result) for result in writer.write(concurrency=1))
    asked = len(server.requests)

    assert not any(fell_back(result) for result in writer.write(*batch(4)))
    assert len(server.requests) == asked + 4, "it is remembered"


def test_the_cap_ends_the_asking(server: ChatServer, generator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_PROMPT_MOST_TOKENS", "70")
    writer = Writer(server.url, generator)

    with pytest.raises(ModelUnavailable, match=r"the cap of 70 tokens .* worker process \(90\): raise PARAGONE_PROMPT_MOST"):
        writer.write(*batch(9), concurrency=1)
    assert len(server.requests) == 3

    with pytest.raises(ModelUnavailable, match="the cap"):
        writer.write(*batch(9), concurrency=1)
    assert len(server.requests) == 3


def test_a_server_that_tells_no_usage_is_counted_by_length(server: ChatServer, writer: Writer) -> None:
    server.answer = lambda request: said(good_prompt(request), tokens=None)

    with pytest.raises(ModelUnavailable, match="the cap of 500 tokens"):
        writer.write(*batch(9), concurrency=1, most_tokens=500)
    assert 1 < len(server.requests) < 9


def test_answers_that_were_paid_for_are_kept_over_an_outage(server: ChatServer, writer: Writer) -> None:
    server.answer = only_for(2, refused(503))
    with pytest.raises(EndpointUnavailable):
        writer.write(*batch(4), concurrency=1, patience_seconds=0)
    assert len(server.requests) == 3

    server.answer = lambda request: said(good_prompt(request))
    results = writer.write(*batch(4), concurrency=1)

    assert not any(fell_back(result) for result in results)
    assert len(server.requests) == 3 + 2, "the two that were answered are not asked again"


def test_the_variable_stands_over_the_campaign(server: ChatServer, generator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_PROMPT_ENDPOINT", server.url)

    assert len(Writer("http://127.0.0.1:9/v1", generator).write()) == 3
    assert len(server.requests) == 3


def test_no_endpoint_at_all_is_told_with_the_way_on(server: ChatServer, writer: Writer) -> None:
    with pytest.raises(ModelUnavailable, match=r"set prompt\.settings\.url in the campaign, or PARAGONE_PROMPT_ENDPOINT"):
        writer.write(url="")
    assert server.requests == []


def test_a_limit_that_the_generator_does_not_read_is_refused(writer: Writer) -> None:
    with pytest.raises(ModelUnavailable, match=r"prompt\.max_tokens is 76, but .* reads 75 tokens"):
        writer.write(max_tokens=76)
