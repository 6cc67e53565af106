from __future__ import annotations

import itertools
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from db.enums import Stage, WorkerEnd
from db.settings import Settings
from workers.gpus import CPU, ConfiguredGpus, Device, chosen_devices
from workers.supervision import supervisor
from workers.supervision.child_process import ChildProcess
from workers.supervision.exit_codes import ExitCode
from workers.supervision.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from workers.supervision.job_return import JobReturn

#: Leaves a line for each life: when it began and on which GPU, then does what `{then}` says.
LIFE = """
import os, signal, sys, time
def tell(line): os.write(int(sys.argv[-1]), line.encode() + b"\\n")
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


class ToldJobReturn:
    """Notes whose jobs are returned."""

    def __init__(self) -> None:
        self.told: list[tuple[str, WorkerEnd]] = []

    def begin(self, worker_id: str, *, end: WorkerEnd) -> None:
        self.told.append((worker_id, end))

    def wait(self, seconds: float) -> None:
        pass


class Host:
    """A supervisor whose processes are small scripts."""

    def __init__(self, note: Path, devices: Sequence[Device], *, grace: float = 30.0, until_idle: bool = False, notice: str = "") -> None:
        self._note = note
        settings = Settings(grace_seconds=grace, restart_seconds=0.1, notice_command=notice, notice_seconds=0.05)
        self.returned = ToldJobReturn()
        job_return = cast("JobReturn", self.returned)
        self.supervisor = Supervisor(devices, settings=settings, stages=list(Stage), until_idle=until_idle, job_return=job_return)

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


def gpus(listed: str) -> list[Device]:
    return chosen_devices("all", configured=ConfiguredGpus(variable="PARAGONE_GPUS", listed=listed))


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


def test_a_process_that_had_begun_is_started_again_after_the_first_pause_every_time(note: Path) -> None:
    host = Host(note, [CPU])
    host.does("tell('began'); sys.exit(1)")

    host.until(lambda: len(host.lives()) == 6)

    assert host.children[0].pause == 0.1
    began = [float(life[0]) for life in host.lives()]
    assert began[5] - began[0] < 20  # doubled pauses alone would be more than 3 s, and 60 s soon after


def test_a_process_that_a_signal_has_stopped_is_started_again_at_once(note: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = Host(note, [CPU])
    host.children[0].pause = 1000.0
    host.does(f"sys.exit({ExitCode.STOPPED:d})")

    assert host.until(lambda: len(host.lives()) == 3) == 0
    assert "was stopped by a signal" in caplog.text
    assert "starting again at once" in caplog.text


def test_a_process_that_is_done_is_not_replaced(note: Path) -> None:
    host = Host(note, [CPU], until_idle=True)
    host.does("tell('finished'); sys.exit(0)")

    assert host.supervisor.run() == 0
    assert len(host.lives()) == 1


def test_an_exit_code_of_zero_alone_hides_no_work(note: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Given a library that ends the process as if all were well
    host = Host(note, [CPU], until_idle=True)
    host.does("os._exit(0)")

    assert host.until(lambda: len(host.lives()) == 3) == 0
    assert "ended with exit code 0 although it was not done" in caplog.text


def test_a_process_without_its_model_ends_for_good_only_if_it_was_to_end_at_all(note: Path) -> None:
    host = Host(note, [CPU], until_idle=True)
    host.does(f"sys.exit({ExitCode.MODEL_TROUBLE:d})")
    assert host.supervisor.run() == 1
    assert len(host.lives()) == 1

    staying = Host(note.with_name("staying"), [CPU])
    staying.does(f"sys.exit({ExitCode.MODEL_TROUBLE:d})")
    assert staying.until(lambda: len(staying.lives()) == 2) == 0


def test_the_log_tells_why_a_process_ended(note: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = Host(note, gpus("0,1,2"))
    host.does("os.abort()", number=0)
    host.does("tell(f'deadline {time.monotonic() - 1}'); sys.exit(1)", number=1)
    host.does("tell('error no such table: jobs'); sys.exit(1)", number=2)

    host.until(lambda: len(host.lives()) >= 6)

    assert re.search(r"was killed by SIGABRT after \d+ s: starting again in 0 s", caplog.text)
    assert "exceeded its time limit" in caplog.text
    assert "ended with exit code 1 (no such table: jobs)" in caplog.text
    assert f"the worker {host.returned.told[0][0]} " in caplog.text


def test_the_jobs_of_a_dead_process_are_returned_under_its_name(note: Path) -> None:
    host = Host(note, [CPU])
    host.does("os.kill(os.getpid(), signal.SIGSEGV)")

    host.until(lambda: len(host.returned.told) == 2)

    names = [name for name, _ in host.returned.told]
    assert len(set(names)) == len(names)
    assert all(name.startswith("cpu-") for name in names)
    assert {end for _, end in host.returned.told} == {WorkerEnd.CRASHED}


def test_a_process_that_the_supervisor_killed_did_not_crash(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "KILL_MARGIN", 0.1)
    host = Host(note, [CPU], grace=0.2)
    host.does(f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(note)!r} + '-deaf', 'w').close(); time.sleep(50)")

    host.until(Path(f"{note}-deaf").exists)

    assert [end for _, end in host.returned.told] == [WorkerEnd.STOPPED]


def test_one_device_goes_on_when_another_is_done(note: Path) -> None:
    host = Host(note, gpus("0,1"))
    host.does("tell('finished'); sys.exit(0)", number=0)
    host.does("time.sleep(0.6); tell('finished')", number=1)

    assert host.supervisor.run() == 0
    assert sorted(life[1] for life in host.lives()) == ["0", "1"]


def test_each_process_sees_its_own_gpu_alone(note: Path) -> None:
    host = Host(note, [*gpus("0,3"), CPU])
    host.does("tell('finished'); sys.exit(0)")

    host.supervisor.run()

    assert sorted(life[1] for life in host.lives()) == ["0", "3", "none"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_process_and_waits_for_it(note: Path, tmp_path: Path, number: int) -> None:
    host = Host(note, gpus("0,1"))
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
    start = ChildProcess.start

    def signalled(child: ChildProcess) -> None:
        # Given a signal that is handled while the child is not written down yet
        before = child.process
        start(child)
        started, child.process = child.process, before
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        child.process = started

    monkeypatch.setattr(ChildProcess, "start", signalled)
    began = time.monotonic()

    assert host.supervisor.run() == 0
    assert time.monotonic() - began < 30


def test_a_process_that_does_not_listen_is_killed_after_its_grace(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "KILL_MARGIN", 0.1)
    host = Host(note, [CPU], grace=0.2)
    host.does(f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(note)!r} + '-deaf', 'w').close(); time.sleep(50)")

    code = host.until(Path(f"{note}-deaf").exists)

    assert code == 1
    assert host.children[0].killed


def test_a_process_that_fails_while_stopping_is_told_and_was_still_asked_to_stop(note: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = Host(note, [CPU])
    host.does(f"signal.signal(signal.SIGTERM, lambda *_: os.abort()); open({str(note)!r} + '-up', 'w').close(); time.sleep(50)")

    assert host.until(Path(f"{note}-up").exists) == 0
    assert "was killed by SIGABRT while it was stopping" in caplog.text
    assert [end for _, end in host.returned.told] == [WorkerEnd.CRASHED]


def test_a_batch_that_outlasts_the_grace_period_makes_the_exit_code_one(note: Path) -> None:
    host = Host(note, [CPU])
    gives_up = f"lambda *_: sys.exit({ExitCode.GAVE_UP:d})"
    host.does(f"signal.signal(signal.SIGTERM, {gives_up}); open({str(note)!r} + '-up', 'w').close(); time.sleep(50)")

    assert host.until(Path(f"{note}-up").exists) == 1
    assert [end for _, end in host.returned.told] == [WorkerEnd.STOPPED]


def test_a_child_hears_when_its_supervisor_is_gone(note: Path) -> None:
    # Given a supervisor of its own process, whose child ends when its standard input closes
    host = Host(note, [CPU])
    host.does("sys.stdin.read(); sys.exit(0)")
    host.children[0].start()
    process = host.children[0].process
    assert process is not None
    assert process.stdin is not None

    # When the pipe closes, as it does when the supervisor dies in any way
    process.stdin.close()

    assert process.wait(30) == 0
    host.children[0].take_ending(0)


def test_the_command_names_device_and_stages_and_keeps_other_packages_off_the_path(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)

    made = Supervisor(gpus("1"), settings=settings, stages=[Stage.CAPTION, Stage.PROMPT], until_idle=True)

    (child,) = made._children
    assert child.command[:4] == [sys.executable, "-P", "-m", "workers"]
    assert child.command[4:] == ["--supervised", "--name", "gpu1", "--device", "cuda", "--stages", "caption,prompt", "--until-idle"]
    assert child.environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert child.environment["PARAGONE_DATA_DIR"] == str(tmp_path)


def test_after_a_notice_the_processes_are_stopped_and_the_end_is_good(note: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = Host(note, gpus("0,1"), notice=f"test -e {tmp_path / 'notice'}")
    host.does(f"signal.signal(signal.SIGTERM, lambda *_: sys.exit({ExitCode.STOPPED:d})); time.sleep(60)", 0)
    host.does(f"signal.signal(signal.SIGTERM, lambda *_: sys.exit({ExitCode.GAVE_UP:d})); time.sleep(60)", 1)

    def give_notice() -> None:
        while len(host.lives()) < 2:
            time.sleep(0.01)
        time.sleep(0.2)  # their handlers are in place
        (tmp_path / "notice").touch()

    threading.Thread(target=give_notice, daemon=True).start()

    assert host.supervisor.run() == 0, "what a notice leaves undone was given back"
    assert len(host.lives()) == 2
    assert caplog.text.count("notice: this host is about to be taken away") == 1


def test_a_process_that_is_too_old_for_the_database_is_not_started_again(note: Path) -> None:
    host = Host(note, [CPU])
    host.does(f"sys.exit({ExitCode.TOO_OLD:d})")

    assert host.supervisor.run() == 1
    assert len(host.lives()) == 1
    assert host.returned.told == [(host.children[0].worker_id, WorkerEnd.STOPPED)]
