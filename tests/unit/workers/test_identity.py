from __future__ import annotations

import os
import re
from importlib.metadata import version

import pytest

from db.monitoring.worker_registry import device_name
from workers.identity import library_versions, new_worker_id, own_identity


def test_two_lives_of_one_worker_have_distinct_names() -> None:
    assert len({own_identity("gpu0", "cuda", host="same").worker_id for _ in range(1_000)}) == 1_000


def test_a_supervisor_may_choose_the_name() -> None:
    chosen = new_worker_id("gpu3", "lab1")

    assert own_identity("gpu3", "cuda", host="lab1", worker_id=chosen).worker_id == chosen


def test_a_name_tells_device_and_host() -> None:
    mine = own_identity("gpu1", "cuda", host="lab-1.example")

    # 64 random bits: equal names of hosts do not confuse.
    assert re.fullmatch(r"gpu1-[0-9a-f]{16}@lab-1\.example", mine.worker_id)
    assert (mine.host, mine.pid, mine.device) == ("lab-1.example", os.getpid(), "cuda")


@pytest.mark.parametrize("name", ["cpu", "gpu0", "gpuGPU-12ab-34cd"])
def test_the_device_is_read_back_from_a_name(name: str) -> None:
    assert device_name(new_worker_id(name, "a-host")) == name
    assert device_name(f"{name.replace('-', '')}@host") == name.replace("-", "")


def test_only_installed_packages_have_a_version() -> None:
    found = library_versions()

    assert found["celery"] == version("celery")
    assert all(re.match(r"\d", text) for text in found.values())


def test_facts_are_what_the_record_takes() -> None:
    assert set(own_identity("cpu", "cpu", host="here").facts()) == {"worker_id", "host", "pid", "device", "versions"}
