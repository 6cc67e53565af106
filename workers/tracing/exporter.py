"""Sending spans over HTTP from a thread of its own: a collector that is away costs spans, two lines in the log, and nothing else."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from workers.tracing.span_ids import ChosenIds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from workers.identity import Identity

logger = logging.getLogger(__name__)

#: Seconds for one request and its repetitions.
TIMEOUT_SECONDS = 5.0
#: Spans that wait for the collector at most; beyond it the oldest are dropped.
MOST_WAITING = 16_384
#: Spans of one request.
MOST_TOGETHER = 2_048


class QuietExporter(SpanExporter):
    """An exporter that says once that its collector is away, and once that it is back."""

    def __init__(self, exporter: SpanExporter, *, collector: str) -> None:
        """`collector` is its name in the log."""
        self._exporter = exporter
        self._collector = collector
        self._away_since: float | None = None
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send some spans; whatever goes wrong is a failure, never raised."""
        try:
            result = self._exporter.export(spans)
            cause = "it takes no spans"
        except Exception as error:  # noqa: BLE001  # libraries below raise what they like
            result, cause = SpanExportResult.FAILURE, f"{type(error).__name__}"
        if result is SpanExportResult.SUCCESS:
            self._note_success()
        else:
            self._note_failure(len(spans), cause)
        return result

    def shutdown(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()

    def _note_success(self) -> None:
        if self._away_since is not None:
            seconds = time.monotonic() - self._away_since
            logger.warning("the trace collector %s is back after %.0f s; %d spans were lost", self._collector, seconds, self._lost)
        self._away_since, self._lost = None, 0

    def _note_failure(self, spans: int, cause: str) -> None:
        self._lost += spans
        if self._away_since is None:
            self._away_since = time.monotonic()
            logger.warning("the trace collector %s is away (%s): work goes on, spans are lost", self._collector, cause)


def exporting_provider(url: str, identity: Identity) -> TracerProvider:
    """Makes spans that are sent to this URL; their sampling follows OTEL_TRACES_SAMPLER."""
    # These log every request that fails, and every span that found no room.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    exporter = QuietExporter(OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_SECONDS), collector=_shown(url))
    provider = TracerProvider(id_generator=ChosenIds(), resource=_resource(identity), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING, max_export_batch_size=MOST_TOGETHER))
    return provider


def _resource(identity: Identity) -> Resource:
    known = {"service.name": "paragone", "service.instance.id": identity.worker_id, "host.name": identity.host}
    return Resource.create({**known, "service.version": identity.versions.get("paragone", "")})


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
