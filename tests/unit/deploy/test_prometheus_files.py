"""Prometheus' and Grafana's files agree with the metrics that the code tells, and with each other."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml

from producer.commands.metrics import PORT
from tests.unit.deploy.promql import (
    BY_SAMPLE_NAME,
    GRAFANA,
    METRICS,
    PROMETHEUS,
    Query,
    alert_queries,
    dashboard_queries,
    dashboards,
)
from tests.unit.docs.pages import ROOT
from workers.metrics.descriptions import MetricKind

QUERIES = [*alert_queries(), *dashboard_queries()]
#: What Prometheus itself adds to every series.
OF_THE_TARGET = {"instance", "job"}

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_query_names_metrics_and_labels_that_there_are(query: Query) -> None:
    assert query.names, query.expression
    assert query.names <= BY_SAMPLE_NAME.keys()
    for name, label in query.selected_labels:
        assert label in {*BY_SAMPLE_NAME[name].labels, *OF_THE_TARGET, "le"}, f"{name} has no label {label}"


def test_every_metric_is_shown_on_a_dashboard() -> None:
    shown = {BY_SAMPLE_NAME[name].name for query in dashboard_queries() for name in query.names}
    assert shown == {metric.name for metric in METRICS}


def test_counters_are_read_by_their_rate_alone() -> None:
    counters = {name for metric in METRICS if metric.kind is not MetricKind.GAUGE for name in metric.sample_names}
    for query in QUERIES:
        for name in query.names & counters:
            uses = len(re.findall(rf"{name}\b", query.expression))
            rates = len(re.findall(rf"(?:rate|increase)\({name}\b", query.expression))
            assert uses == rates, f"{query}: {name}"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric: object) -> None:
    described = next(one for one in METRICS if one is metric)
    assert re.fullmatch(r"paragone_[a-z_]+[a-z]", described.name)
    assert described.name.endswith("_total") == (described.kind is MetricKind.COUNTER)
    assert bool(described.buckets) == (described.kind is MetricKind.HISTOGRAM)
    if "Seconds" in described.help.split(".")[0].split()[:1] and described.kind is not MetricKind.HISTOGRAM:
        assert "seconds" in described.name
    assert described.help.endswith(".")


def test_metrics_have_names_of_their_own() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert len(BY_SAMPLE_NAME) == sum(len(metric.sample_names) for metric in METRICS)


def test_the_documentation_lists_every_metric_as_it_is() -> None:
    page = (ROOT / "docs" / "how-to" / "watch-with-prometheus.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(paragone_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE)
    expected = [(one.name, str(one.kind), ", ".join(f"`{label}`" for label in one.labels), one.help) for one in METRICS]
    assert listed == expected, "\n".join(f"| `{name}` | {kind} | {labels} | {text} |" for name, kind, labels, text in expected)


def test_prometheus_scrapes_where_compose_has_the_services() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert targets == {"paragone": [f"metrics:{PORT}"], "paragone-workers": ["worker:9465"]}


def test_dashboards_ask_the_data_source_that_is_provisioned() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))["datasources"]
    boards = dashboards()
    assert len({board["uid"] for board in boards.values()}) == len(boards)
    for board in boards.values():
        asked = [panel["datasource"] for panel in board["panels"]] + [one["datasource"] for one in board["templating"]["list"]]
        asked += [target["datasource"] for panel in board["panels"] for target in panel["targets"]]
        assert {one["uid"] for one in asked} == {source["uid"]}
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@needs_promtool
@pytest.mark.parametrize(
    "words", [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")], ids=" ".join
)
def test_promtool_takes_the_files(words: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_that_pages_is_tested() -> None:
    rules = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    paging = {rule["alert"] for rule in rules if rule["labels"]["severity"] == "page"}
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    tested = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert paging <= tested
