"""Prometheus scrapes a working fleet, and the dashboards' queries answer."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.installation import PARAGONE, until
from tests.unit.deploy.promql import PROMETHEUS, dashboard_queries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed (Debian: prometheus)"),
]

#: What a fleet without a GPU, where nothing fails and every model fits, has no answer to.
SILENT = ("GPU memory", "Failed attempts per second", "Given up, by kind")

#: Prometheus' answer while it starts.
STARTING = 503


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def prometheus(folder: Path, *, queue: int, workers: int) -> Iterator[str]:
    """Prometheus with the repository's configuration, sooner than every 15 seconds and at these ports; gives its URL."""
    folder.mkdir()
    written = (PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8")
    changed = {"15s": "2s", "12s": "2s", "metrics:9464": f"127.0.0.1:{queue}", "worker:9465": f"127.0.0.1:{workers}"}
    for old, new in changed.items():
        assert old in written
        written = written.replace(old, new)
    (folder / "prometheus.yml").write_text(written)
    shutil.copy(PROMETHEUS / "alerts.yml", folder)
    port = free_port()
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, cwd=folder) as process,
    ):
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def queue_metrics(host: Installation) -> Iterator[int]:
    """A running `paragone metrics`; gives its port."""
    port = free_port()
    with subprocess.Popen([PARAGONE, "metrics", "--port", str(port)], env=host.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        try:
            yield port
        finally:
            process.terminate()


def ask(url: str, expression: str) -> list[dict[str, Any]]:
    """The result of an instant query; nothing while Prometheus starts."""
    query = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=20) as answer:  # noqa: S310
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found
    except urllib.error.HTTPError as error:
        if error.code == STARTING:
            return []
        raise AssertionError(f"{expression}: {error.read().decode()}") from None
    except OSError:
        return []


def total(url: str, expression: str) -> float:
    """The sum of what a query gives."""
    return sum(float(one["value"][1]) for one in ask(url, expression))


def filled_in(expression: str) -> str:
    """A dashboard's query with all of its variables' values."""
    for variable in ("campaign", "instance", "worker"):
        expression = expression.replace(f"${variable}", ".*")
    return expression.replace("$__rate_interval", "10m")


def test_prometheus_scrapes_a_working_fleet_and_the_dashboards_answer(installation: Installation, tmp_path: Path) -> None:
    # Given a host whose work takes a while, and what watches it
    workers = free_port()
    host = installation.on(installation.directory, PARAGONE_METRICS_PORT=str(workers), PARAGONE_RESTART_SECONDS="0.1")
    host.plan(60, batch=2, caption={"seconds_per_batch": 0.2}, repaint={"seconds_per_batch": 0.2})
    with queue_metrics(host) as queue, prometheus(tmp_path / "prometheus", queue=queue, workers=workers) as url:
        with host.working() as fleet:
            until(lambda: total(url, 'sum(paragone_worker_jobs_total{stage="recaption",outcome="done"})') >= 4, what="repaints are told")

            # When a worker dies, its counts stay, and its next life goes on with them
            before = total(url, "sum(paragone_worker_jobs_total)")
            (victim,) = fleet.workers()
            victim.kill()
            until(lambda: total(url, "sum(paragone_worker_restarts_total)") == 1, what="the restart is told")
            until(lambda: total(url, "sum(increase(paragone_worker_model_loads_total[10m]))") > 0, what="the next life counts on")
            assert total(url, "sum(paragone_worker_jobs_total)") >= before
            assert not ask(url, "resets(paragone_worker_jobs_total[10m]) > 0")

            # Then every query of the dashboards answers
            until(lambda: total(url, "sum(rate(paragone_jobs_done_total[10m]))") > 0, what="the database's counts grow")
            until(lambda: total(url, "sum(paragone_workers)") == 1, what="the next life has registered")
            asked = [query for query in dashboard_queries() if "label_values" not in query.expression]
            answers = {query.place: ask(url, filled_in(query.expression)) for query in asked}
            assert {place for place, found in answers.items() if not found and not any(title in place for title in SILENT)} == set()
            assert total(url, "rate(paragone_worker_device_busy_seconds_total[10m])") > 0

            # And at the end what Prometheus knows is what the database knows
            until(lambda: total(url, 'sum(paragone_jobs{state="done"})') == 240, what="the end is told")
            until(lambda: total(url, "sum(paragone_images)") == 60, what="images are counted anew, once a minute")
            assert fleet.stop() == 0, fleet.output
        assert "Traceback" not in fleet.output


def test_a_port_that_is_taken_stops_the_command_with_one_line(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = installation.on(installation.directory, PARAGONE_METRICS_PORT=port).run("work", "--gpus", "none", "--until-idle")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "PARAGONE_METRICS_PORT" in done.stderr


def test_traces_without_their_extra_stop_the_command_with_one_line(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry'] = None\n")
    host = installation.on(installation.directory, PYTHONPATH=str(tmp_path / "hidden"), PARAGONE_TRACES="http://127.0.0.1:4318")
    done = host.run("work", "--gpus", "none", "--until-idle")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert "pip install 'paragone[tracing]'" in done.stderr


def test_a_collector_that_is_away_delays_no_work(installation: Installation) -> None:
    host = installation.on(installation.directory, PARAGONE_TRACES=f"http://127.0.0.1:{free_port()}")
    host.plan(6, batch=2)
    with host.working("--until-idle") as fleet:
        assert fleet.wait() == 0
    assert host.json_of("status")["jobs"]["recaption"] == {"done": 6}
    assert fleet.output.count("the trace collector") <= 2, fleet.output
    assert "opentelemetry" not in fleet.output.lower()
