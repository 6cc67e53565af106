"""OpenTelemetry traces: one for each artwork of a campaign, continued by whichever worker has its next job."""

from __future__ import annotations

from workers.tracing.configuration import check_tracing, configured_tracer

__all__ = ["check_tracing", "configured_tracer"]
