from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

METRICS = [sys.executable, "-m", "paragone", "metrics"]


def test_the_command_serves_until_it_is_stopped_and_survives_a_database_that_is_away(tmp_path: Path) -> None:
    environment = {"PARAGONE_DATA_DIR": str(tmp_path), "PARAGONE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    command = [*METRICS, "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.stdout.readline())
        assert url is not None
        with urllib.request.urlopen(url[0], timeout=60) as answer:  # noqa: S310
            text = answer.read().decode()
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert "# TYPE paragone_up gauge\nparagone_up 0.0\n" in text
        assert "paragone_jobs" not in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        said = process.stderr.read()
    assert "Traceback" not in said
    assert "nothing can be told of the queue" in said


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        environment = {"PARAGONE_DATA_DIR": str(tmp_path)}
        done = subprocess.run([*METRICS, "--port", port], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == f"paragone: port {port} of 127.0.0.1 is taken: choose another with --port\n"


def test_a_database_url_that_cannot_work_is_told_at_the_start(tmp_path: Path) -> None:
    environment = {"PARAGONE_DATA_DIR": str(tmp_path), "PARAGONE_DATABASE_URL": "mysql://nowhere/none"}
    done = subprocess.run(METRICS, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
