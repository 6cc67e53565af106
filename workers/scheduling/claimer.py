"""Claiming for one worker: the key that its scheduler prefers, else the best of what is ready that others do not take first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.jobs.claim import claim_batch, ready_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.enums import Stage
    from db.jobs.claim import Batch, BatchCandidate
    from workers.scheduling.scheduler import Scheduler
    from workers.worker_context import WorkerContext


class Claimer:
    """Claims batches of some stages under a worker's name."""

    def __init__(self, context: WorkerContext, scheduler: Scheduler, *, worker_id: str, stages: Sequence[Stage]) -> None:
        self._context = context
        self._scheduler = scheduler
        self._worker_id = worker_id
        self._stages = stages

    def claim(self) -> Batch | None:
        """The best batch there is now, or None."""
        blocks = self._context.outages.blocks
        preferred = self._scheduler.preferred()
        if preferred is not None and not blocks(preferred) and (batch := self._claim_from(preferred)) is not None:
            self._scheduler.note_preferred(preferred)
            return batch
        ready = ready_batches(self._context.database, self._stages)
        for candidate in self._scheduler.ranked([candidate for candidate in ready if not blocks(candidate)]):
            batch = self._claim_from(candidate)
            if batch is not None:
                self._scheduler.note_chosen(candidate)
                return batch
        return None

    def _claim_from(self, candidate: BatchCandidate) -> Batch | None:
        return claim_batch(
            self._context.database,
            worker_id=self._worker_id,
            candidate=candidate,
            limit=self._context.models.capacity(candidate.batch_key, candidate.parameters).limit,
            lease_seconds=self._context.settings.lease_seconds,
        )
