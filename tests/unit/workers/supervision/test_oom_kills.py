from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workers.supervision.oom_kills import oom_kills

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host without any counter."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "cgroup/service").mkdir(parents=True)
    return tmp_path


def count(host: Path) -> int | None:
    return oom_kills(proc=host / "proc", cgroups=host / "cgroup")


def test_a_host_that_does_not_count_says_so(host: Path) -> None:
    assert count(host) is None
    (host / "proc/vmstat").write_text("pgfault 12\noom_kill_disable 0\n")
    assert count(host) is None


def test_the_host_and_the_own_cgroup_are_counted_together(host: Path) -> None:
    (host / "proc/vmstat").write_text("pgfault 12\noom_kill 2\ndrop_pagecache 0\n")
    assert count(host) == 2

    (host / "proc/self/cgroup").write_text("1:name=systemd:/x\n0::/service\n")
    (host / "cgroup/service/memory.events").write_text("low 0\nhigh 0\nmax 5\noom 4\noom_kill 3\noom_group_kill 0\n")
    assert count(host) == 5


def test_the_cgroup_alone_is_enough(host: Path) -> None:
    (host / "proc/self/cgroup").write_text("0::/\n")
    (host / "cgroup/memory.events").write_text("oom_kill 7\n")

    assert count(host) == 7
