from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow(reason="starts a worker and Celery's tools")

COMMAND = str(Path(sys.executable).with_name("paragone"))
PROGRAM = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "paragone.celery"]


def _environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARAGONE_")}
    return kept | {"PARAGONE_DATA_DIR": str(data), "OMP_NUM_THREADS": "1"}


def _celery(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=data.parent, env=_environment(data), capture_output=True, text=True, check=False, timeout=90
    )


def _lines(data: Path, *arguments: str) -> Iterator[str]:
    """What one of Celery's tools that run on and on prints, line by line."""
    command = [*PROGRAM, *arguments]
    with subprocess.Popen(
        command, cwd=data.parent, env=_environment(data), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as tool:
        assert tool.stdout is not None
        try:
            yield from tool.stdout
        finally:
            tool.kill()


@pytest.mark.timeout(240)
def test_a_running_worker_answers_celerys_own_tools_through_the_embedded_broker(tmp_path: Path) -> None:
    data = tmp_path / "data"
    log = (tmp_path / "work.log").open("w")
    with log, subprocess.Popen([COMMAND, "work", "--gpus", "none"], env=_environment(data), stdout=log, stderr=log) as work:
        try:
            deadline = time.monotonic() + 90
            # One that began before the broker did says so first, and may yet be answered.
            while "pong" not in (pinged := _celery(data, "inspect", "ping")).stdout or pinged.stderr:
                assert time.monotonic() < deadline, f"{pinged}\n{(tmp_path / 'work.log').read_text()}"
                assert work.poll() is None
            assert (pinged.returncode, pinged.stderr) == (0, "")
            assert "cpu-" in pinged.stdout
            assert "1 node online" in _celery(data, "status").stdout
            assert any("heartbeat" in line for line in _lines(data, "events", "--dump"))
            assert any("Connected to redis+socket" in line for line in _lines(data, "flower", "--port=0"))
        finally:
            work.terminate()
            work.wait(timeout=60)


def test_without_a_broker_it_says_so_and_starts_none(tmp_path: Path) -> None:
    data = tmp_path / "data"
    asked = _celery(data, "inspect", "ping")
    assert asked.returncode != 0
    assert f"no broker runs in {data}: `paragone work` starts one" in asked.stderr
    assert not [path for path in data.rglob("*") if path.is_file() or path.is_socket()]


def test_the_configured_broker_is_the_one_that_is_asked(tmp_path: Path, broker_url: str) -> None:
    code = "from paragone.celery import app; print(app.conf.broker_url, app.conf.accept_content)"
    environment = _environment(tmp_path / "data") | {"PARAGONE_BROKER_URL": broker_url}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{broker_url} ['json']\n"
    assert not (tmp_path / "data").exists()
