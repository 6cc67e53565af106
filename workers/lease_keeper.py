"""Keeping this worker alive in the database: its heartbeat, and the leases of what its threads are at work on."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from db.jobs.lease import renew
from db.monitoring.worker_registry import record_heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from db.engine import Database


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
    ) -> None:
        """`troubles` are shown beside the heartbeat; `on_failure` is called when the database could not be reached."""
        self._database = database
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._troubles = troubles
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._held: set[str] = set()

    @property
    def held(self) -> list[str]:
        """The tokens of the batches that threads are at work on."""
        with self._lock:
            return sorted(self._held)

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
        try:
            renew(self._database, self.held, lease_seconds=self._lease_seconds)
            record_heartbeat(self._database, self._worker_id, trouble="; ".join(self._troubles()) or None)
        except Exception:
            self._on_failure()
            raise
