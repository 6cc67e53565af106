"""What the database and the broker say of themselves: their clock, their rights and their limits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.filesize import decimal

from db.durations import format_duration
from db.engine.compatibility import known_revisions
from db.engine.schema import check_schema, current_revision, newest_revision
from db.errors import ProgramTooOld
from db.monitoring.health import read_server_facts
from producer.health.check import failed, passed, warned
from workers.wake_ups.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db.engine import Database
    from db.monitoring.health import HealthFacts, ServerFacts
    from producer.health.check import HealthCheck

CLOCK, SCHEMA, CONNECTIONS, BROKER = "clock", "schema", "connections", "broker"
#: Seconds by which this host's clock may differ from the database's, and from which TLS and object stores refuse to work.
CLOCK_SECONDS, WRONG_CLOCK_SECONDS = 5.0, 300.0
#: Connections for commands, for `status --watch`, for Flower and for an administrator.
SPARE_CONNECTIONS = 10
#: Bytes of a broker's memory that are too few for Flower's events beside the wake-ups.
LITTLE_MEMORY = 16 << 20
#: Share of a broker's memory from which it is nearly full.
NEARLY_FULL = 0.9
#: The oldest Redis and Valkey that know all that is asked of them.
OLDEST_REDIS = 6


def check_server(
    database: Database, *, connections: int, devices: int, clock: Callable[[], float] = time.time
) -> tuple[list[HealthCheck], ServerFacts]:
    """Clock, encoding and rights of the database's server, and its limit against what one host of these devices takes.

    Raises `DatabaseUnavailable`.
    """
    before = clock()
    facts = read_server_facts(database)
    offset = facts.clock - (before + clock()) / 2
    found = [_clock(offset)]
    if facts.encoding not in {None, "UTF8"}:
        found.append(
            failed(SCHEMA, f"the database is encoded in {facts.encoding}, which lacks characters", "create it with ENCODING 'UTF8'")
        )
    if facts.connections_allowed is not None and devices * connections + SPARE_CONNECTIONS > facts.connections_allowed:
        found.append(_too_few(devices, connections, facts.connections_allowed))
    return found, facts


def check_revision(database: Database, server: ServerFacts, *, embedded: bool) -> HealthCheck:
    """Whether the tables are there, and of this program's version, an older or a newer one."""
    found, wanted = current_revision(database), newest_revision()
    if found == wanted:
        return passed(SCHEMA, f"{found}, as this program needs it")
    if found is not None and found not in known_revisions():
        text = f"the database is at schema {found}, which is newer than this program ({wanted})"
        try:
            check_schema(database)
        except ProgramTooOld:
            return failed(SCHEMA, f"{text} and needs a newer one", "upgrade Paragone on this host to the version that migrated it")
        return warned(SCHEMA, f"{text} and takes it during an upgrade", "upgrade Paragone on this host soon")
    if server.may_create is False:
        text = f"the database's user may not create tables, and schema {wanted} is needed"
        return failed(SCHEMA, text, "as owner of the database: GRANT CREATE ON SCHEMA public TO that user; then `paragone init`")
    text = (
        "the database has no tables of Paragone yet" if found is None else f"the database is at schema {found}, this program needs {wanted}"
    )
    if embedded:
        return passed(SCHEMA, f"{text}: the next command makes them")
    return failed(SCHEMA, text, "run `paragone init`")


def check_fleet(facts: HealthFacts, server: ServerFacts, *, connections: int) -> HealthCheck | None:
    """Whether the server takes the connections of all living workers; None where that is no question."""
    if server.connections_allowed is None:
        return None
    if len(facts.workers) * connections + SPARE_CONNECTIONS > server.connections_allowed:
        return _too_few(len(facts.workers), connections, server.connections_allowed)
    return passed(CONNECTIONS, f"{server.connections} of {server.connections_allowed} that the server allows, {len(facts.workers)} workers")


def check_broker_memory(url: str) -> list[HealthCheck]:
    """What a Redis or Valkey says of its version, role and memory; nothing of other brokers. Raises whatever kombu's transport does."""
    with create_app(url) as app, app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        channel = connection.default_channel
        if not hasattr(channel, "conn_or_acquire"):  # no Redis
            return []
        with channel.conn_or_acquire() as client:
            return list(judge_broker(client.info()))


def judge_broker(info: dict[str, Any]) -> Iterator[HealthCheck]:
    """What is wrong with a server that answers INFO so."""
    version = str(info.get("valkey_version") or info.get("redis_version") or "")
    if version.split(".", maxsplit=1)[0].isdecimal() and int(version.split(".", maxsplit=1)[0]) < OLDEST_REDIS:
        yield failed(BROKER, f"it is version {version}", f"install Valkey, or Redis {OLDEST_REDIS} or newer")
    if info.get("role") == "slave":
        yield failed(BROKER, "it is a replica, which takes no wake-ups", "name the primary in PARAGONE_BROKER_URL")
    limit, used = int(info.get("maxmemory") or 0), int(info.get("used_memory") or 0)
    policy = str(info.get("maxmemory_policy") or "noeviction")
    if not limit:
        return
    memory = f"{decimal(used)} of {decimal(limit)} used, policy {policy}"
    fix = "raise maxmemory to 64mb or more, and set maxmemory-policy noeviction"
    if policy == "noeviction" and used >= limit:
        yield failed(BROKER, f"it is full and refuses wake-ups ({memory})", fix)
    elif policy.startswith("allkeys"):
        yield warned(BROKER, f"it may evict the queues ({memory})", fix)
    elif used > NEARLY_FULL * limit or limit < LITTLE_MEMORY:
        yield warned(BROKER, f"it has little memory ({memory})", fix)


def _clock(offset: float) -> HealthCheck:
    if abs(offset) < CLOCK_SECONDS:
        return passed(CLOCK, f"{offset:+.1f} s from the database's")
    report = failed if abs(offset) > WRONG_CLOCK_SECONDS else warned
    way = "behind" if offset > 0 else "ahead of"
    text = f"this host's clock is {format_duration(abs(offset))} {way} the database's"
    return report(CLOCK, text, "run NTP (chrony or systemd-timesyncd) on both; leases do not mind, TLS and S3 do")


def _too_few(processes: int, connections: int, allowed: int) -> HealthCheck:
    text = f"{processes} worker processes of {connections} connections each need {processes * connections}, the server allows {allowed}"
    fix = "raise max_connections, put PgBouncer in front, or lower PARAGONE_DATABASE_CONNECTIONS"
    return failed(CONNECTIONS, text, fix)
