"""Draining: a host's workers finish what they hold, claim nothing more, and end; the database keeps the order until it is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, union

from db.engine.clock import now
from db.errors import UnknownHost
from db.jobs.tables import drained_hosts, workers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database

#: Hosts that an error names at most.
NAMED = 20


def set_drained(database: Database, host: str, *, drained: bool) -> None:
    """Drain a host, or take that back; harmless if it is so already.

    Raises:
        UnknownHost: no worker of it was ever seen, and it is not drained.
    """

    def write(connection: Connection) -> None:
        known = known_hosts(connection)
        if host not in known:
            raise UnknownHost(_unknown(host, known))
        there = connection.scalar(select(drained_hosts.c.host).where(drained_hosts.c.host == host)) is not None
        if drained and not there:
            connection.execute(insert(drained_hosts).values(host=host, asked_at=now()))
        elif not drained:
            connection.execute(delete(drained_hosts).where(drained_hosts.c.host == host))

    database.write(write)


def is_drained(database: Database, host: str) -> bool:
    """Whether workers of this host are to claim nothing."""
    with database.read() as connection:
        return connection.scalar(select(drained_hosts.c.host).where(drained_hosts.c.host == host)) is not None


def known_hosts(connection: Connection) -> list[str]:
    """Hosts that had a worker within the last week, or that are drained, by name."""
    return sorted(connection.scalars(union(select(workers.c.host), select(drained_hosts.c.host))))


def _unknown(host: str, known: list[str]) -> str:
    if not known:
        return f"no worker of a host {host!r} was ever seen: none has worked here yet"
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return f"no worker of a host {host!r} was ever seen: the hosts are {', '.join(known[:NAMED])}{more}"
