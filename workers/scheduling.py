"""Which batch key a free thread takes next: priority first, then the loaded model unless others starve, then what is nearest to done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from db.jobs.claim import BatchCandidate

_ORDER = list(Stage)


def ranked(
    ready_batches: Sequence[BatchCandidate],
    *,
    loaded: Collection[str],
    waiting_since: Mapping[str, float],
    moment: float,
    starvation_seconds: float,
) -> list[BatchCandidate]:
    """The ready_batches, best first.

    `loaded` holds the batch keys whose model is on the device, `waiting_since` when each key was first seen with work and not served
    (seconds on the clock of `moment`).
    """

    def worth(candidate: BatchCandidate) -> tuple[int, int, int, int]:
        starved = moment - waiting_since.get(candidate.batch_key, moment) > starvation_seconds
        return (
            -candidate.priority,
            0 if starved else 1,
            0 if candidate.batch_key in loaded else 1,
            -_ORDER.index(candidate.stage),
        )

    return sorted(ready_batches, key=worth)
