from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from workers.supervision.notice import NoticeWatch, Trouble, ask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("command", "notice", "trouble", "said"),
    [
        ("true", True, None, ""),
        ("echo soon; exit 0", True, None, "soon"),
        ("exit 22", False, None, ""),
        ("echo 'jq: parse error' >&2; false", False, Trouble.TALKS, "jq: parse error"),
        ("/no/such/program 2>/dev/null", False, Trouble.MISSING, ""),
        ("printf 'a\\033[2Jb\\377\\n\\nc'; false", False, Trouble.TALKS, "a [2Jb\N{REPLACEMENT CHARACTER} c"),
        ("kill -9 $$", False, None, ""),
    ],
)
def test_only_an_exit_code_of_zero_is_a_notice(command: str, notice: bool, trouble: Trouble | None, said: str) -> None:
    answer = ask(command, seconds=20)

    assert (answer.notice, answer.trouble, answer.said) == (notice, trouble, said)


def test_endless_output_is_read_and_dropped() -> None:
    began = time.monotonic()

    answer = ask("yes garbage", seconds=0.5)

    assert (answer.notice, answer.trouble, len(answer.said)) == (False, Trouble.HANGS, 199)
    assert time.monotonic() - began < 20
    assert ask("yes garbage | head -c 1000000; exit 0", seconds=20).notice, "much output does not hide a notice"


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    answer = ask(f"sleep 300 & echo $! > {tmp_path / 'pid'}; wait", seconds=0.5)

    assert answer.trouble is Trouble.HANGS
    started = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 20
    while _runs(started):
        assert time.monotonic() < deadline, "it still runs"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_something_that_keeps_the_output_open_does_not_delay_the_answer() -> None:
    began = time.monotonic()

    assert ask("sleep 30 & exit 0", seconds=20).notice
    assert time.monotonic() - began < 15


def test_each_trouble_is_told_once_and_a_notice_still_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noticed = threading.Event()
    count = tmp_path / "count"
    command = f"echo x >> {count}; test -e {tmp_path / 'notice'} || {{ echo nonsense; exit 1; }}"
    watch = NoticeWatch(command, seconds=0.02, on_notice=noticed.set)
    watch.start()
    while not count.exists() or count.read_text().count("x") < 4:
        time.sleep(0.01)
    (tmp_path / "notice").touch()

    assert noticed.wait(20)
    watch.stop()
    assert caplog.text.count("PARAGONE_NOTICE_COMMAND said something without giving notice: nonsense") == 1


def test_a_watch_that_is_stopped_ends_a_call_under_way() -> None:
    watch = NoticeWatch("sleep 300", seconds=1, on_notice=lambda: os.kill(os.getpid(), signal.SIGABRT), patience_seconds=200)
    watch.start()
    time.sleep(0.2)
    began = time.monotonic()

    watch.stop()

    assert time.monotonic() - began < 20
    assert not watch._thread.is_alive()
