from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db.enums import Stage
from db.settings import Settings
from workers import supervisor
from workers.errors import EXIT_MODEL_TROUBLE
from workers.gpus import CPU, Device, chosen_devices
from workers.supervisor import ChildProcess, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Leaves a line for each life: when it began and on which GPU, then does what `{0}` says.
LIFE = """
import os, signal, sys, time
with open({note!r}, "a") as note:
    print(time.monotonic(), os.environ["CUDA_VISIBLE_DEVICES"] or "none", os.getpid(), file=note)
{then}
"""


@pytest.fixture(autouse=True)
def _our_signals() -> Iterator[None]:
    """The supervisor takes over the process's signals: pytest gets its own back."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.02)


class Host:
    """A supervisor whose processes are small scripts."""

    def __init__(self, note: Path, devices: Sequence[Device], *, grace: float = 30.0) -> None:
        self._note = note
        settings = Settings(grace_seconds=grace, restart_seconds=0.1)
        self.supervisor = Supervisor(devices, settings=settings, stages=list(Stage), until_idle=False)

    @property
    def children(self) -> list[ChildProcess]:
        return self.supervisor._children

    def does(self, then: str, number: int | None = None) -> None:
        for one in self.children if number is None else [self.children[number]]:
            one.command = [sys.executable, "-I", "-S", "-c", LIFE.format(note=str(self._note), then=then)]

    def lives(self) -> list[list[str]]:
        return [line.split() for line in self._note.read_text().splitlines()] if self._note.exists() else []

    def until(self, condition: Callable[[], bool], number: int = signal.SIGTERM) -> int:
        """Run, and send the signal once the condition holds; returns the exit code."""
        timer = threading.Thread(target=self._send, args=(condition, number), daemon=True)
        timer.start()
        code = self.supervisor.run()
        timer.join()
        return code

    def _send(self, condition: Callable[[], bool], number: int) -> None:
        deadline = time.monotonic() + 60
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), number)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "lives"


def test_a_process_that_dies_is_started_again_with_growing_pauses(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0.4)
    host = Host(note, [CPU])
    host.does("sys.exit(1)")
    pauses: list[float] = []

    def watch() -> bool:
        if host.children[0].pause not in pauses:
            pauses.append(host.children[0].pause)
        return len(host.lives()) == 5

    host.until(watch)

    assert pauses == [0.1, 0.2, 0.4]
    began = [float(life[0]) for life in host.lives()]
    gaps = [after - before for before, after in itertools.pairwise(began)]
    assert len(gaps) >= 4
    assert all(gap >= wanted for gap, wanted in zip(gaps, [0.1, 0.2, 0.4, 0.4], strict=False))


def test_after_a_long_life_the_pause_is_the_first_one_again(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0.3)
    host = Host(note, [CPU])
    host.children[0].pause = 25.0
    host.does("time.sleep(0.5); sys.exit(1)")

    host.until(lambda: len(host.lives()) == 2)

    first, second = (float(life[0]) for life in host.lives()[:2])
    assert second - first < 20


@pytest.mark.parametrize(("code", "worst"), [(0, 0), (EXIT_MODEL_TROUBLE, 1)])
def test_a_process_that_is_done_or_has_no_model_is_not_replaced(note: Path, code: int, worst: int) -> None:
    host = Host(note, [CPU])
    host.does(f"sys.exit({code})")

    assert host.supervisor.run() == worst
    assert len(host.lives()) == 1


def test_one_device_goes_on_when_another_is_done(note: Path) -> None:
    host = Host(note, chosen_devices("all", configured="0,1"))
    host.does("sys.exit(0)", number=0)
    host.does("time.sleep(0.6)", number=1)

    assert host.supervisor.run() == 0
    assert sorted(life[1] for life in host.lives()) == ["0", "1"]


def test_each_process_sees_its_own_gpu_alone(note: Path) -> None:
    host = Host(note, [*chosen_devices("all", configured="0,3"), CPU])
    host.does("sys.exit(0)")

    host.supervisor.run()

    assert sorted(life[1] for life in host.lives()) == ["0", "3", "none"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_process_and_waits_for_it(note: Path, tmp_path: Path, number: int) -> None:
    host = Host(note, chosen_devices("all", configured="0,1"))
    folder = str(tmp_path)
    host.does(
        f"signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), open({folder!r} + f'/{{os.getpid()}}', 'w').close(), sys.exit(0)))\n"
        f"open({folder!r} + '/ready-' + os.environ['CUDA_VISIBLE_DEVICES'], 'w').close()\n"
        "time.sleep(50)"
    )

    code = host.until(lambda: len(list(tmp_path.glob("ready-*"))) == 2, number)

    assert code == 0
    pids = [life[2] for life in host.lives()]
    assert len(pids) == 2
    assert all((tmp_path / pid).exists() for pid in pids)


def test_a_process_that_is_stopped_before_it_can_listen_is_no_failure(note: Path) -> None:
    host = Host(note, [CPU])
    host.does("time.sleep(50)")

    assert host.until(lambda: len(host.lives()) == 1) == 0
    assert len(host.lives()) == 1


def test_a_signal_during_the_start_of_a_process_still_reaches_it(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(note, [CPU])
    host.does("time.sleep(50)")
    start = supervisor._start

    def signalled(child: ChildProcess) -> None:
        # Given a signal that is handled while the child is not written down yet
        before = child.process
        start(child)
        started, child.process = child.process, before
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        child.process = started

    monkeypatch.setattr(supervisor, "_start", signalled)
    began = time.monotonic()

    assert host.supervisor.run() == 0
    assert time.monotonic() - began < 30


def test_a_process_that_does_not_listen_is_killed_after_its_grace(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "KILL_MARGIN", 0.1)
    host = Host(note, [CPU], grace=0.2)
    host.does(f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(note)!r} + '-deaf', 'w').close(); time.sleep(50)")

    code = host.until(Path(f"{note}-deaf").exists)

    assert code == 1
    assert host.children[0].ended == -signal.SIGKILL


def test_a_process_that_fails_while_stopping_makes_the_exit_code_one(note: Path) -> None:
    host = Host(note, [CPU])
    host.does(f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)); open({str(note)!r} + '-up', 'w').close(); time.sleep(50)")

    assert host.until(Path(f"{note}-up").exists) == 1


def test_a_child_hears_when_its_supervisor_is_gone(note: Path) -> None:
    # Given a supervisor of its own process, whose child ends when its standard input closes
    host = Host(note, [CPU])
    host.does("sys.stdin.read(); sys.exit(0)")
    supervisor._start(host.children[0])
    process = host.children[0].process
    assert process is not None
    assert process.stdin is not None

    # When the pipe closes, as it does when the supervisor dies in any way
    process.stdin.close()

    assert process.wait(30) == 0


def test_the_command_names_device_and_stages_and_keeps_other_packages_off_the_path(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)

    made = Supervisor(chosen_devices("1", configured="0,1"), settings=settings, stages=[Stage.CAPTION, Stage.PROMPT], until_idle=True)

    (child,) = made._children
    assert child.command[:4] == [sys.executable, "-P", "-m", "workers"]
    assert child.command[4:] == ["--supervised", "--name", "gpu1", "--device", "cuda", "--stages", "caption,prompt", "--until-idle"]
    assert child.environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert child.environment["PARAGONE_DATA_DIR"] == str(tmp_path)
