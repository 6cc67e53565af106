"""Whether what Paragone needs is there: the checks of `paragone health`, which `paragone doctor` uses too."""

from __future__ import annotations

from producer.health.check import CheckState, HealthCheck, HealthReport, report_of
from producer.health.read_health import read_health

__all__ = ["CheckState", "HealthCheck", "HealthReport", "read_health", "report_of"]
