"""The queries of the alert rules and the dashboards, and the metrics that they name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from producer.metrics.descriptions import DATABASE_METRICS
from tests.unit.docs.pages import ROOT
from workers.metrics.descriptions import WORKER_METRICS

if TYPE_CHECKING:
    from workers.metrics.descriptions import MetricDescription

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"

METRICS = (*DATABASE_METRICS, *WORKER_METRICS)
#: Every name that PromQL can find, and the metric behind it.
BY_SAMPLE_NAME: dict[str, MetricDescription] = {name: metric for metric in METRICS for name in metric.sample_names}

_NAME = re.compile(r"(?<![\w:\"'])paragone_\w+")
_SELECTOR = re.compile(r"(?P<name>paragone_\w+)\{(?P<matchers>[^}]*)\}")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True, kw_only=True)
class Query:
    """One PromQL expression, and where it stands."""

    place: str
    expression: str

    def __str__(self) -> str:
        return self.place

    @property
    def names(self) -> set[str]:
        """Paragone's metrics in it."""
        return set(_NAME.findall(self.expression))

    @property
    def selected_labels(self) -> set[tuple[str, str]]:
        """Each metric in it with each label that it is selected by."""
        found = _SELECTOR.finditer(self.expression)
        return {(match["name"], label) for match in found for label in _LABEL.findall(match["matchers"])}


def dashboards() -> dict[str, Any]:
    """File name to dashboard."""
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted((GRAFANA / "dashboards").glob("*.json"))}


def dashboard_queries() -> list[Query]:
    """Those of panels and of variables."""
    found = []
    for name, board in dashboards().items():
        for panel in board["panels"]:
            found += [Query(place=f"{name}: {panel['title']} {one['refId']}", expression=one["expr"]) for one in panel["targets"]]
        found += [Query(place=f"{name}: ${one['name']}", expression=one["definition"]) for one in board["templating"]["list"]]
    return found


def alert_queries() -> list[Query]:
    """Those of the alert rules."""
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [Query(place=rule["alert"], expression=rule["expr"]) for group in groups for rule in group["rules"]]
