from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.enums import Stage
from db.errors import UnknownHost
from db.monitoring.worker_registry import deregister_worker, register_worker
from tests.builders import harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def test_a_host_is_drained_shown_so_and_released(operator: Operator) -> None:
    harness_of(operator.database, 1)
    register_worker(
        operator.database, worker_id="gpu0-1@lab1", host="lab1", pid=7, device="cuda", stages=list(Stage), threads=2, versions={}
    )

    assert operator.output_of("drain lab1") == "draining lab1: its workers (1) finish what they hold and end\n"
    assert operator.json_of("status")["hosts"][0]["state"] == "draining"
    assert "lab1 is draining" in operator.output_of("status")

    deregister_worker(operator.database, "gpu0-1@lab1")
    assert operator.output_of("drain lab1") == "drained lab1: no worker of it is alive, and none will begin\n"
    assert "lab1 is drained" in operator.output_of("status")

    assert operator.output_of("drain lab1 --undo") == "lab1 may work again: start `paragone work` there\n"
    assert operator.json_of("status")["hosts"] == []


def test_an_unknown_host_is_refused(sqlite_operator: Operator) -> None:
    register_worker(
        sqlite_operator.database, worker_id="gpu0-1@lab1", host="lab1", pid=7, device="cuda", stages=list(Stage), threads=2, versions={}
    )
    with pytest.raises(UnknownHost, match="the hosts are lab1"):
        sqlite_operator.output_of("drain lab2")
