from __future__ import annotations

import os
import re
import socket
from importlib.metadata import version

from workers.identity import library_versions, new_worker_id, own_identity


def test_two_lives_of_one_worker_have_distinct_names() -> None:
    # With 16 bits a thousand names would hold the same one twice, all but surely; with 32 in one of 8,000 runs.
    assert len({own_identity("gpu0", "cuda").worker_id for _ in range(1_000)}) == 1_000


def test_a_supervisor_may_choose_the_name() -> None:
    chosen = new_worker_id("gpu3")

    assert own_identity("gpu3", "cuda", worker_id=chosen).worker_id == chosen


def test_a_name_tells_device_and_host() -> None:
    mine = own_identity("gpu1", "cuda")

    assert re.fullmatch(r"gpu1-[0-9a-f]{8}@" + re.escape(socket.gethostname()), mine.worker_id)
    assert (mine.host, mine.pid, mine.device) == (socket.gethostname(), os.getpid(), "cuda")


def test_only_installed_packages_have_a_version() -> None:
    found = library_versions()

    assert found["celery"] == version("celery")
    assert all(re.match(r"\d", text) for text in found.values())


def test_facts_are_what_the_record_takes() -> None:
    assert set(own_identity("cpu", "cpu").facts()) == {"worker_id", "host", "pid", "device", "versions"}
