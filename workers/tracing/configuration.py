"""Whether traces are sent, and where to: by PARAGONE_TRACES, else by OpenTelemetry's own variables."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workers.errors import TracingUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.settings import Settings
    from workers.batches.batch_recorder import BatchRecorder
    from workers.identity import Identity
    from workers.tracing.job_tracer import JobTracer

OFF = "off"
#: The path of traces at a collector.
TRACES_PATH = "/v1/traces"
EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


def traces_url(settings: Settings, environment: Mapping[str, str] = os.environ) -> str | None:
    """Where spans are posted; None if nobody asked for traces.

    Raises:
        TracingUnavailable: PARAGONE_TRACES is no URL, or holds a password.
    """
    if settings.traces == OFF or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if settings.traces:
        parts = urlsplit(settings.traces)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise TracingUnavailable(
                f"PARAGONE_TRACES must be a collector's URL such as http://127.0.0.1:4318, or {OFF}: it is no http(s) URL"
            )
        if parts.username is not None or parts.password is not None:
            raise TracingUnavailable("PARAGONE_TRACES holds a user or a password: put credentials into OTEL_EXPORTER_OTLP_HEADERS")
        return settings.traces.rstrip("/") + TRACES_PATH
    whole = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    return whole or (base.rstrip("/") + TRACES_PATH if base else None)


def check_tracing(settings: Settings, environment: Mapping[str, str] = os.environ) -> str | None:
    """As `traces_url`; raises `TracingUnavailable` too if what sends spans is not installed."""
    url = traces_url(settings, environment)
    if url is not None and not _is_installed(EXPORTER):
        raise TracingUnavailable(f"traces need OpenTelemetry: pip install 'paragone[tracing]', or set PARAGONE_TRACES={OFF}")
    return url


def configured_tracer(settings: Settings, *, identity: Identity, recorder: BatchRecorder) -> JobTracer | None:
    """What tells the jobs of this process as spans; None if nobody asked for it. Raises as `check_tracing`."""
    url = check_tracing(settings)
    if url is None:
        return None
    from workers.tracing.exporter import exporting_provider
    from workers.tracing.job_tracer import JobTracer

    return JobTracer(exporting_provider(url, identity), recorder=recorder)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is the package around it
        return False
