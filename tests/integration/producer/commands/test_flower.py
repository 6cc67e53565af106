from __future__ import annotations

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from db.enums import FailureKind, Stage
from db.jobs.inputs import load_inputs
from tests.builders import harness_of
from workers.task_events import TaskEventSender
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from db.engine import Database


PASSWORD = "open sesame"  # noqa: S105  # of this test alone


@contextmanager
def _flower(
    tmp_path: Path, *options: str, program: Sequence[str] = ("-m", "paragone"), **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A running `paragone flower`, its URL and the lines it printed."""
    process = subprocess.Popen(
        [sys.executable, *program, "flower", "--port", "0", *options],
        env={"PARAGONE_DATA_DIR": str(tmp_path / "data"), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        printed = [process.stdout.readline(), process.stdout.readline()]
        found = re.search(r"http://127\.0\.0\.1:\d+", printed[0])
        assert found, printed
        yield process, found[0], printed
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _get(url: str, login: str | None = None) -> Any:
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def test_flower_shows_each_job_behind_the_password(tmp_path: Path, sqlite_database: Database, broker_url: str) -> None:
    with _flower(tmp_path, PARAGONE_BROKER_URL=broker_url, PARAGONE_FLOWER_PASSWORD=PASSWORD) as (_, url, printed):
        assert PASSWORD not in "".join(printed), "a password that is set needs no printing"
        with pytest.raises(urllib.error.HTTPError) as refused:
            _get(f"{url}/api/tasks")
        refused.value.close()
        assert refused.value.code == 401

        harness = harness_of(sqlite_database, 2)
        batch = harness.claim(Stage.CAPTION)
        good, bad = batch.jobs
        with create_app(broker_url) as app:
            task_events = TaskEventSender(app, hostname="gpu0@here")
            task_events.start()
            found: dict[str, Any] = {}
            deadline = time.monotonic() + 30
            while len(found) < 2 and time.monotonic() < deadline:
                # Flower may not listen yet: an event that nobody receives is lost.
                task_events.received(batch, load_inputs(sqlite_database, batch))
                started_at = task_events.started(batch)
                task_events.succeeded([good], stage=Stage.CAPTION, started_at=started_at, device_seconds=1.5)
                task_events.failed(bad, stage=Stage.CAPTION, error=f"{FailureKind.INPUT}: truncated", again=False)
                time.sleep(0.5)
                found = _get(f"{url}/api/tasks", f"paragone:{PASSWORD}")
            task_events.stop()
    assert {key: (task["name"], task["state"]) for key, task in found.items()} == {
        good.job_key: ("caption", "SUCCESS"),
        bad.job_key: ("caption", "FAILURE"),
    }
    shown = found[good.job_key]
    assert shown["runtime"] == pytest.approx(shown["succeeded"] - shown["started"])
    assert (shown["result"], shown["worker"]) == ("its share of its batch: 1.500 s", "gpu0@here")
    assert "truncated" in found[bad.job_key]["exception"]
    assert "painter-" in found[bad.job_key]["args"]


@pytest.mark.slow(reason="starts Flower")
def test_flower_under_a_prefix_serves_everything_there_and_nothing_but_health_without_the_login(tmp_path: Path, broker_url: str) -> None:
    with _flower(tmp_path, "--url-prefix", "/tools/flower/", PARAGONE_BROKER_URL=broker_url, PARAGONE_FLOWER_PASSWORD=PASSWORD) as (
        _,
        url,
        printed,
    ):
        assert f"{url}/tools/flower/" in printed[0]
        login = f"paragone:{PASSWORD}"
        guarded = ("", "workers", "tasks", "broker", "api/tasks", "api/workers", "metrics")
        for path in guarded:
            assert _status(f"{url}/tools/flower/{path}") == 401, path
            assert _status(f"{url}/tools/flower/{path}", "paragone:wrong") == 401, path
            assert _status(f"{url}/tools/flower/{path}", login) == 200, path
        assert _status(f"{url}/tools/flower/healthcheck") == 200
        assert _status(f"{url}/tools/flower", login) == 200, "without its slash it leads there"
        assert (_status(f"{url}/tasks", login), _status(f"{url}/metrics", login)) == (404, 404)

        # The page's links, scripts and styles lie under the prefix, and are there
        page = _text(f"{url}/tools/flower/tasks", login)
        found = set(re.findall(r'(?:href|src)="(/[^"]*)"', page))
        assert {f"/tools/flower/{name}" for name in ("tasks", "workers", "broker")} <= found
        assert any(name.startswith("/tools/flower/static/js/flower.js") for name in found)
        for name in found:
            assert name.startswith("/tools/flower/"), name
            assert _status(f"{url}{name}", login) == 200, name
        assert "flower_worker_online" in _text(f"{url}/tools/flower/metrics", login)


#: Flower with one page more, which tells what a page knows of its client.
REFLECTING = """
from producer import flower_server
from tornado.web import RequestHandler

class Reflect(RequestHandler):
    def get(self):
        self.write({"protocol": self.request.protocol, "address": self.request.remote_ip})

def add_handlers(flower, *, prefix):
    flower.add_handlers(".*", [("/reflect", Reflect)])

flower_server.add_handlers = add_handlers
from paragone.__main__ import main
main()
"""


@pytest.mark.slow(reason="starts Flower")
@pytest.mark.parametrize(("options", "told"), [(["--xheaders"], ("https", "203.0.113.9")), ([], ("http", "127.0.0.1"))])
def test_what_a_proxy_says_of_the_client_is_believed_only_if_asked(
    tmp_path: Path, broker_url: str, options: list[str], told: tuple[str, str]
) -> None:
    with _flower(tmp_path, *options, program=["-c", REFLECTING], PARAGONE_BROKER_URL=broker_url) as (_, url, _printed):
        request = urllib.request.Request(f"{url}/reflect", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            found = json.load(answer)
    assert (found["protocol"], found["address"]) == told


def _text(url: str, login: str | None = None) -> str:
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:  # noqa: S310
        text: str = answer.read().decode(errors="replace")
        return text


def _status(url: str, login: str | None = None) -> int:
    try:
        _text(url, login)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    return 200


@pytest.mark.slow(reason="starts Flower twice")
def test_flower_without_a_password_prints_a_new_one_and_ends_at_a_signal(tmp_path: Path) -> None:
    passwords = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with _flower(tmp_path) as (process, url, printed):
            found = re.search(r"user (\S+), password (\S+)", printed[1])
            assert found
            assert _get(f"{url}/api/tasks", f"{found[1]}:{found[2]}") == {}
            passwords.append(found[2])
            process.send_signal(number)
            assert process.wait(timeout=30) == 0
    assert passwords[0] != passwords[1]


@pytest.mark.slow(reason="starts Flower")
def test_flower_reports_a_taken_port_and_a_missing_broker_in_one_line(tmp_path: Path, broker_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert (
            _fails(tmp_path, port, broker_url)
            == f"paragone: port {port} of 127.0.0.1 is taken: choose another with --port or PARAGONE_FLOWER_PORT"
        )
    prefix = "the URL prefix 'a b' cannot be used: letters, digits, - and _, with / between, such as tools/flower"
    assert _fails(tmp_path, 0, broker_url, "--url-prefix", "a b", code=2) == f"paragone: {prefix}"
    mend = "start it, or fix PARAGONE_BROKER_URL (rediss:// only where it speaks TLS)"
    error = _fails(tmp_path, 0, "redis://me:secret@127.0.0.1:1/0")
    assert error == f"paragone: no broker answers at redis://me:**@127.0.0.1:1/0: {mend}"


def _fails(tmp_path: Path, port: int, broker_url: str, *options: str, code: int = 1) -> str:
    """What the command says on standard error when it cannot begin."""
    result = subprocess.run(
        [sys.executable, "-m", "paragone", "flower", "--port", str(port), *options],
        env={"PARAGONE_DATA_DIR": str(tmp_path / "data"), "PARAGONE_BROKER_URL": broker_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (code, "")
    return result.stderr.strip()
