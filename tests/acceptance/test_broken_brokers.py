"""A broker that is full, holds rubbish or has a wrong URL: the work is in the database, and goes on to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.installation import FAST_RECOVERY, until
from tests.acceptance.queries import assert_complete, states

if TYPE_CHECKING:
    from tests.acceptance.installation import Installation
    from tests.services.valkey import ValkeyServer

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow(reason="runs the installed command")]


@pytest.fixture
def host(installation: Installation, own_valkey: ValkeyServer) -> Installation:
    """A machine whose broker may be broken."""
    return installation.on(installation.directory, **FAST_RECOVERY, PARAGONE_BROKER_URL=own_valkey.url)


def test_a_full_broker_keeps_no_work_from_being_done(host: Installation, own_valkey: ValkeyServer) -> None:
    host.plan(8)
    with own_valkey.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        with host.working("--until-idle") as fleet:
            assert fleet.wait() == 0, fleet.output
        client.config_set("maxmemory", 0)
    assert_complete(host, repaints=8)
    assert "no wake-ups are heard, work goes on" in fleet.output
    assert "Traceback" not in fleet.output


def test_a_broker_that_is_full_in_the_middle_or_holds_rubbish_ends_nothing(host: Installation, own_valkey: ValkeyServer) -> None:
    host.plan(20, repaint={"seconds_per_batch": 0.3})
    with own_valkey.client() as client, host.working() as fleet:
        until(lambda: states(host, "generate")["done"] >= 2, what="it is in the middle")
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        until(lambda: states(host, "generate")["done"] >= 8, what="it went on")
        client.config_set("maxmemory", 0)
        for stage in ("caption", "prompt", "generate", "recaption"):
            client.lpush(f"paragone.{stage}", "garbage", "[1, 2]")

        until(lambda: states(host).keys() == {"done"}, what="all is done")

        assert fleet.process.poll() is None
        assert fleet.stop() == 0, fleet.output
    assert_complete(host, repaints=20)
    assert "Traceback" not in fleet.output


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://x", "which is no broker"),
        ("redis://127.0.0.1:port/0", "a port that is no number"),
        ("redis://:hunter2/tail@127.0.0.1:9/0", "must be escaped"),
    ],
)
@pytest.mark.parametrize("command", ["work", "flower"])
def test_a_url_that_cannot_work_is_told_at_once_in_one_line(installation: Installation, command: str, url: str, cause: str) -> None:
    done = installation.on(installation.directory, PARAGONE_BROKER_URL=url).run(command)

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("paragone: PARAGONE_BROKER_URL ")
    assert cause in line
    assert "hunter2" not in line


def test_jobs_are_planned_with_a_url_that_cannot_work_and_the_cause_is_told(installation: Installation) -> None:
    installation.plan(1)
    host = installation.on(installation.directory, PARAGONE_BROKER_URL="redis://:hunter2/tail@127.0.0.1:9/0", COLUMNS="400")

    done = host.run("requeue", "--done", "--stage", "caption")
    assert done.returncode == 0
    planned = host.run("enqueue", "--campaign", "another", "--models", "pocket")

    assert planned.returncode == 0, planned.stderr
    assert "PARAGONE_BROKER_URL has a password with a character that must be escaped" in planned.stderr
    assert "hunter2" not in planned.stderr + planned.stdout
