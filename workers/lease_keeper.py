"""Keeping this worker alive in the database: its heartbeat, and the leases of what its threads are at work on."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from db.jobs.lease import renew
from db.monitoring.worker_registry import record_heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from db.engine import Database
    from workers.host_watch import HostWatch

#: Parts of a lease. When renewals are delayed longer than this, by the database or by a lock, those of other workers may be too late: with
#: a heartbeat of a third of a lease, and a fifth of jitter, what was renewed before the delay runs out after 0.6 of a lease.
LATE = 0.6


class LeaseKeeper:
    """Renews what is held, and nothing else: a batch that was dropped in whatever way must not be kept alive."""

    def __init__(
        self,
        database: Database,
        *,
        worker_id: str,
        lease_seconds: float,
        troubles: Callable[[], Sequence[str]],
        on_failure: Callable[[], None],
        host_watch: HostWatch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is sent yet.

        Args:
            database: the database.
            worker_id: whose leases they are.
            lease_seconds: for how long each renewal extends them.
            troubles: what is shown beside the heartbeat.
            on_failure: called when a renewal failed or came late.
            host_watch: gets the answers to heartbeats.
            clock: moments for what is late.
        """
        self._database = database
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._troubles = troubles
        self._on_failure = on_failure
        self._host_watch = host_watch
        self._clock = clock
        self._lock = threading.Lock()
        self._held: set[str] = set()
        #: When the last renewal that succeeded was begun.
        self._renewed_at: float | None = None

    @property
    def held(self) -> list[str]:
        """The tokens of the batches that threads are at work on."""
        with self._lock:
            return sorted(self._held)

    @property
    def is_in_time(self) -> bool:
        """Whether renewals reach the database now: only then may this worker judge that others are silent."""
        return self._renewed_at is not None and self._clock() - self._renewed_at <= LATE * self._lease_seconds

    @contextmanager
    def holding(self, token: str) -> Iterator[None]:
        """Keep this lease for as long as the block runs."""
        with self._lock:
            self._held.add(token)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(token)

    def beat(self) -> None:
        """Renew the held leases and record that the worker is alive."""
        began = self._clock()
        try:
            renew(self._database, self.held, lease_seconds=self._lease_seconds)
            self._record_heartbeat()
        except Exception:
            self._on_failure()
            raise
        # A renewal that was blocked does not fail, but those of others were blocked with it.
        late = self._renewed_at is not None and self._clock() - self._renewed_at > LATE * self._lease_seconds
        self._renewed_at = began
        if late:
            self._on_failure()

    def _record_heartbeat(self) -> None:
        trouble = "; ".join(self._troubles()) or None
        if (watch := self._host_watch) is None:
            record_heartbeat(self._database, self._worker_id, trouble=trouble)
            return
        sent_at = watch.sent_at()
        answer = record_heartbeat(self._database, self._worker_id, trouble=trouble, clock_offset=watch.clock_offset)
        watch.take(answer, sent_at=sent_at)
