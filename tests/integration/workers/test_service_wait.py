"""Commands that wait for a database and a broker that start at the same moment as they do."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from db.runtime import Runtime
from db.settings import Settings
from workers.commands.wait_option import wait_option
from workers.errors import ServiceMissing
from workers.service_wait import Service, Waiting, wait_for_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.database_proxy import DatabaseProxy
    from tests.services.postgresql import PostgresServer
    from tests.services.valkey import ValkeyServer

#: Nobody listens there, and the password must not be shown.
NO_DATABASE = "postgresql://me:hunter2@127.0.0.1:1/art"
NO_BROKER = "redis://:hunter2@127.0.0.1:1/0"
BOTH = (Service.DATABASE, Service.BROKER)


def runtime_of(*, database: str = "", broker: str = "", wait: str = "0") -> Runtime:
    return Runtime(Settings.model_validate({"database_url": database, "broker_url": broker, "wait": wait}))


@contextlib.contextmanager
def after(seconds: float, action: object) -> Iterator[None]:
    timer = threading.Timer(seconds, action)  # type: ignore[arg-type]
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_a_database_that_comes_later_is_waited_for_with_one_line_before_and_one_after(
    database_proxy: DatabaseProxy, postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    name = postgres_server.create()
    database_proxy.swallows = True
    runtime = runtime_of(database=database_proxy.url(name).render_as_string(hide_password=False))

    with after(1.0, lambda: setattr(database_proxy, "swallows", False)), caplog.at_level(logging.WARNING, "workers.service_wait"):
        wait_for_services(runtime, Waiting(seconds=60, services=BOTH, needed=BOTH))

    begun, ended = [record.getMessage() for record in caplog.records]
    assert begun == "waiting up to 60 s for the database"
    assert ended.startswith("the database answered after ")
    postgres_server.drop(name)


def test_a_broker_that_answers_nobody_is_waited_for(own_valkey: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    with own_valkey.frozen(), caplog.at_level(logging.WARNING, "workers.service_wait"):
        waiting = Waiting(seconds=0.5, services=BOTH, needed=BOTH)
        with pytest.raises(ServiceMissing, match=r"the broker did not answer within 0\.5 s"):
            wait_for_services(runtime_of(broker=own_valkey.url), waiting)
    caplog.clear()

    wait_for_services(runtime_of(broker=own_valkey.url), waiting)

    assert caplog.records == []


def test_when_the_time_is_over_one_line_names_each_that_did_not_answer_and_no_password() -> None:
    with pytest.raises(ServiceMissing) as missing:
        wait_for_services(runtime_of(database=NO_DATABASE, broker=NO_BROKER), Waiting(seconds=0.3, services=BOTH, needed=BOTH))

    told = str(missing.value)
    assert told.startswith("the database and the broker did not answer within 0.3 s (database: ")
    assert "broker: " in told
    assert "hunter2" not in told
    assert "\n" not in told


def test_what_a_command_can_do_without_is_no_error_when_the_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "workers.service_wait"):
        wait_for_services(runtime_of(broker=NO_BROKER), Waiting(seconds=0.3, services=BOTH, needed=[Service.DATABASE]))

    assert [record.getMessage() for record in caplog.records][-1] == "the broker did not answer within 0.3 s: going on without"


@click.command()
@wait_option(*BOTH, needed=Service.DATABASE)
@click.pass_obj
def command(_runtime: Runtime) -> None:
    """A command that needs a database and likes a broker."""
    click.echo("begun")


@pytest.mark.parametrize(
    ("given", "wait", "missing"),
    [
        ([], "0", False),
        ([], "0.3s", False),
        (["--wait", "0.3s"], "0", True),
        (["--wait", "0"], "1h", False),
    ],
    ids=["not asked", "by the setting", "by hand", "by hand not"],
)
def test_only_who_asks_for_a_wait_by_hand_demands_the_broker(given: list[str], wait: str, missing: bool) -> None:
    result = CliRunner().invoke(command, given, obj=runtime_of(broker=NO_BROKER, wait=wait))

    assert isinstance(result.exception, ServiceMissing) == missing
    assert (result.output == "begun\n") == (not missing)


def test_the_setting_makes_a_command_wait_for_its_database() -> None:
    result = CliRunner().invoke(command, [], obj=runtime_of(database=NO_DATABASE, wait="0.3s"))

    assert "the database did not answer within 0.3 s" in str(result.exception)


def test_a_wait_that_is_no_duration_is_wrong_use() -> None:
    result = CliRunner().invoke(command, ["--wait", "soon"], obj=runtime_of())

    assert result.exit_code == 2
    assert "write 30s, 10m, 2h or 3d" in result.output
