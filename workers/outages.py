"""What this host cannot reach now (the image store, an endpoint): nothing that needs it is claimed until a probe succeeds.

An outage is no job's fault: jobs that meet one go back without an attempt.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.jobs.claim import BatchCandidate


class Outages:
    """The dependencies that are away, as seen from this process. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def troubles(self) -> list[str]:
        """One line for each dependency that is away, for `status`."""
        return []

    def blocks(self, candidate: BatchCandidate) -> bool:  # noqa: ARG002  # nothing is away yet
        """Whether a batch of this key needs something that is away."""
        return False
