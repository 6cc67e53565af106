"""A connection to PostgreSQL that waits for no answer longer than its limit.

Keepalives and `tcp_user_timeout` find a host that is gone, statement timeouts a slow server. Neither finds a connection that a proxy or a
load balancer acknowledges and forwards nowhere: only the one who waits can end that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from db.engine.limits import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Generator

    from psycopg.abc import PQGen

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """The server did not answer within the limit; the connection is closed."""


class DeadlineConnection(psycopg.Connection[Any]):
    """psycopg's connection, closed when one wait (a statement, a commit, a chunk of COPY) takes longer than `limit_seconds`."""

    limit_seconds: float = TIMEOUT_SECONDS

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Run one exchange with the server to its end; raises `NoAnswer`."""
        try:
            wanted = next(gen)
        except StopIteration as done:  # nothing was sent, as when autocommit is set
            answer: T = done.value
            return answer
        return super().wait(self._limited(gen, wanted), *args, **kwargs)

    def _limited(self, gen: PQGen[T], wanted: Any) -> Generator[Any, Any, T]:
        """The same exchange with a look at the clock each time that psycopg resumes it, which it does every 0.1 s at least."""
        limit = self.limit_seconds
        deadline = time.monotonic() + limit
        try:
            while True:
                ready = yield wanted
                # First what has arrived: a process that was stopped for a while may find its answer there.
                wanted = gen.send(ready)
                if time.monotonic() > deadline:
                    gen.close()
                    self.pgconn.finish()
                    raise NoAnswer(f"no answer within {limit:g} s")
        except StopIteration as done:
            answer: T = done.value
            return answer
