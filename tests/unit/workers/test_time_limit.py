from __future__ import annotations

import subprocess
import sys
import time

import pytest

from workers.time_limit import EXIT_CODE

START = """
import ctypes, threading, time
from workers.time_limit import TimeLimit
time_limit = TimeLimit(look_seconds=0.1)
"""

#: Seconds in which every script below must have ended by itself or been ended; a busy machine is slow to start Python.
PATIENCE = 60


def run(script: str) -> tuple[int, str, float]:
    """Exit code, what it wrote to stderr and stdout, and how long the script took."""
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", START + script], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return ended.returncode, ended.stderr + ended.stdout, time.monotonic() - began


@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(50)",
        # PyDLL keeps the interpreter lock during the call, as a hung extension does.
        "ctypes.PyDLL(None).sleep(50)",
    ],
    ids=["asleep", "holding the interpreter lock"],
)
def test_a_block_that_outlives_its_budget_ends_the_process_with_a_traceback(work: str) -> None:
    code, output, seconds = run(f"def stuck():\n    with time_limit.of(0.3):\n        {work}\nstuck()\nprint('survived')")

    assert code == EXIT_CODE
    assert "Timeout (" in output
    assert "in stuck" in output
    assert "survived" not in output
    assert seconds < 40


def test_a_met_deadline_does_not_kill_the_idle_process_later() -> None:
    code, output, _ = run("with time_limit.of(0.6):\n    pass\ntime.sleep(1.0)\nprint('survived')")

    assert (code, output) == (0, "survived\n")


def test_a_failed_block_has_met_its_deadline_too() -> None:
    script = "try:\n    with time_limit.of(0.5):\n        raise ValueError\nexcept ValueError:\n    time.sleep(0.9)\nprint('survived')"

    assert run(script)[:2] == (0, "survived\n")


def test_an_inner_budget_counts_before_the_outer() -> None:
    code, output, seconds = run("with time_limit.of(100):\n    with time_limit.of(0.2):\n        time.sleep(50)")

    assert (code, "Timeout (" in output) == (EXIT_CODE, True)
    assert seconds < 40


def test_an_outer_budget_counts_though_the_inner_one_is_longer_or_was_met() -> None:
    inner = "    with time_limit.of(100):\n        pass\n    with time_limit.of(0.1):\n        pass\n"
    script = f"with time_limit.of(0.6):\n{inner}    time.sleep(50)"

    assert run(script)[0] == EXIT_CODE


def test_an_outer_budget_counts_though_the_inner_one_holds_the_interpreter_lock() -> None:
    code, output, seconds = run("with time_limit.of(0.4):\n    with time_limit.of(100):\n        ctypes.PyDLL(None).sleep(50)")

    assert (code, "Timeout (" in output) == (EXIT_CODE, True)
    assert seconds < 40


def test_the_budget_of_one_thread_holds_though_another_meets_its_own_all_the_time() -> None:
    script = """
def stuck():
    with time_limit.of(0.5):
        time.sleep(50)

threading.Thread(target=stuck, daemon=True).start()
until = time.monotonic() + 20
while time.monotonic() < until:
    with time_limit.of(5):
        time.sleep(0.001)
print("survived")
"""
    code, output, _ = run(script)

    assert code == EXIT_CODE
    assert "in stuck" in output
    assert "survived" not in output


def test_many_threads_that_keep_their_budgets_go_on_past_the_first_deadline() -> None:
    script = """
def good():
    for _ in range(40):
        with time_limit.of(0.9):
            time.sleep(0.03)

threads = [threading.Thread(target=good) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("survived")
"""
    assert run(script)[:2] == (0, "survived\n")
