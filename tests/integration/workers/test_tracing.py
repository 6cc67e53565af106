from __future__ import annotations

import http.server
import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import StatusCode

from db.enums import Stage
from tests.integration.workers.conftest import wait_for
from tests.integration.workers.scripted import scripted
from workers.identity import own_identity
from workers.tracing.exporter import exporting_provider
from workers.tracing.job_tracer import JobTracer
from workers.tracing.span_ids import ChosenIds, span_id_of, trace_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.integration.workers.conftest import WorkerHarness
    from tests.integration.workers.scripted import Scripted


@dataclass
class Traces:
    """The spans that the workers of a test have told."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    def provider(self, **options: Any) -> TracerProvider:
        provider = TracerProvider(id_generator=ChosenIds(), **options)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        return provider

    def jobs(self) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if not span.name.startswith("batch")]

    def batches(self) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name.startswith("batch")]


@pytest.fixture
def traces(fleet: WorkerHarness) -> Traces:
    found = Traces()
    fleet.tracer = lambda recorder: JobTracer(found.provider(), recorder=recorder)
    return found


def context_of(span: ReadableSpan) -> Any:
    assert span.context is not None
    return span.context


def test_an_artwork_is_one_trace_across_stages_and_workers(fleet: WorkerHarness, traces: Traces) -> None:
    harness = fleet.harness(2, batch=2)
    # Each stage by another worker, which knows nothing of the others.
    for stage in Stage:
        fleet.worker(stages=[stage]).on_wake_up()

    by_trace: dict[int, list[ReadableSpan]] = {}
    for span in traces.jobs():
        by_trace.setdefault(context_of(span).trace_id, []).append(span)
    assert len(by_trace) == 2
    for trace_id, spans in by_trace.items():
        assert [span.name for span in spans] == ["caption", "prompt", "generate", "recaption"]
        # Each is the child of the one before it; the first has no parent.
        assert [span.parent and span.parent.span_id for span in spans] == [None, *(context_of(span).span_id for span in spans[:-1])]
        assert len({(span.attributes or {})["paragone.worker"] for span in spans}) == 4
        (artwork,) = {(span.attributes or {})["paragone.artwork_id"] for span in spans}
        assert trace_id == trace_id_of("paragone", f"campaign {harness.campaign.id}", artwork)
        for span in spans[1:]:
            attributes = span.attributes or {}
            assert attributes["paragone.level"] == "only"
            assert attributes["paragone.stage"] == span.name
            assert attributes["paragone.attempt"] == 1
            assert (span.start_time or 0) <= (span.end_time or 0)


def test_jobs_of_one_batch_link_to_the_same_batch(fleet: WorkerHarness, traces: Traces) -> None:
    fleet.harness(3, batch=3)
    fleet.worker(stages=[Stage.CAPTION]).on_wake_up()
    (batch,) = traces.batches()
    assert {link.context.span_id for span in traces.jobs() for link in span.links} == {context_of(batch).span_id}
    attributes = batch.attributes or {}
    assert (attributes["paragone.jobs"], attributes["paragone.jobs.done"]) == (3, 3)
    assert "paragone.seconds.device" in attributes
    assert context_of(batch).trace_id not in {context_of(span).trace_id for span in traces.jobs()}


def test_each_attempt_is_a_span_and_the_next_stage_follows_the_one_that_succeeded(
    fleet: WorkerHarness, traces: Traces, backends: dict[str, type[Scripted]]
) -> None:
    failed: list[bool] = []

    def once(_: Sequence[Any]) -> None:
        if not failed:
            failed.append(True)
            raise ValueError("the driver hiccupped")

    backends["moody"] = scripted(run=once)
    harness = fleet.harness(1, backend="moody")
    worker = fleet.worker(stages=[Stage.CAPTION, Stage.PROMPT], retry_seconds=0.0)
    worker.on_wake_up()
    harness.skip_retry_delays()
    worker.on_wake_up()

    first, second, prompt = traces.jobs()
    assert [span.name for span in (first, second, prompt)] == ["caption", "caption", "prompt"]
    assert [(span.attributes or {})["paragone.attempt"] for span in (first, second)] == [1, 2]
    assert first.status.status_code is StatusCode.ERROR
    assert "hiccupped" in (first.status.description or "")
    assert (first.attributes or {})["paragone.tried_again"] is True
    assert second.status.status_code is StatusCode.UNSET
    assert prompt.parent is not None
    assert prompt.parent.span_id == context_of(second).span_id
    assert {context_of(span).trace_id for span in (first, second, prompt)} == {context_of(first).trace_id}


def test_sampling_by_trace_id_takes_whole_traces(fleet: WorkerHarness) -> None:
    found = Traces()
    fleet.tracer = lambda recorder: JobTracer(found.provider(sampler=TraceIdRatioBased(0.5)), recorder=recorder)
    fleet.harness(20, batch=5)
    for stage in Stage:
        fleet.worker(stages=[stage]).on_wake_up()
    spans = found.jobs()
    counts = {context_of(span).trace_id: [context_of(one).trace_id for one in spans].count(context_of(span).trace_id) for span in spans}
    assert 0 < len(counts) < 20
    assert set(counts.values()) == {4}


def test_a_tracer_that_fails_disturbs_no_job(fleet: WorkerHarness, traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobTracer, "_batch_span", lambda *_: 1 / 0)
    harness = fleet.harness(2)
    fleet.worker().on_wake_up()
    assert {state for states in harness.counts().values() for state in states} == {"done"}
    assert traces.jobs() == []


def test_ids_follow_from_names_and_are_never_zero() -> None:
    assert trace_id_of("a", 1) == trace_id_of("a", "1") != trace_id_of("a", 2)
    assert 0 < span_id_of("a") < 2**64
    assert 0 < trace_id_of("a") < 2**128


class Collector(http.server.ThreadingHTTPServer):
    """A collector that takes spans over HTTP, or refuses them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.refuses = False
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refuses:
            self.send_error(400)
            return
        request = ExportTraceServiceRequest.FromString(body)
        self.server.names += [span.name for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the base's name
        pass


@contextmanager
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_spans_reach_a_collector_over_http_and_its_absence_is_two_lines(fleet: WorkerHarness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    monkey = pytest.MonkeyPatch()
    monkey.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with collector() as server, monkey.context():
        made: list[JobTracer] = []

        def tracer(recorder: Any) -> JobTracer:
            made.append(JobTracer(exporting_provider(server.url, own_identity("cpu", "cpu", host="here")), recorder=recorder))
            return made[-1]

        fleet.tracer = tracer
        fleet.harness(2, name="first")
        worker = fleet.worker(stages=[Stage.CAPTION])
        worker.on_wake_up()
        wait_for(lambda: sorted(server.names) == ["batch caption", "caption", "caption"])

        server.refuses = True
        for name in ("second", "third"):
            harness = fleet.harness(name=name)
            began = time.monotonic()
            worker.on_wake_up()
            assert time.monotonic() - began < 20
            assert harness.states(Stage.CAPTION) == {"done": 2}
            made[0]._provider.force_flush()
        server.refuses = False
        fleet.harness(name="fourth")
        worker.on_wake_up()
        made[0]._provider.force_flush()
        made[0].close()
    monkey.undo()
    said = [record.getMessage() for record in caplog.records if "collector" in record.getMessage()]
    assert len(said) == 2, said
    assert f"the trace collector 127.0.0.1:{server.server_port} is away" in said[0]
    assert "is back" in said[1]
    assert "6 spans were lost" in said[1]
    assert not [record for record in caplog.records if record.name.startswith(("opentelemetry", "urllib3"))]
