"""The gates: what must hold after every run. Each says what is wrong, one line for each fault; nothing if all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.gates.evidence import Evidence
from tests.chaos.gates.hosts import ended_well, logs_bounded, memory_flat, nobody_complained, nothing_left_behind
from tests.chaos.gates.queue import attempts_bounded, no_lease_left, wake_ups_bounded, work_went_on
from tests.chaos.gates.results import failed_as_planted, nothing_lost, nothing_twice, results_agree, same_pixels
from tests.chaos.gates.store import no_blob_without_row, no_row_without_blob

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GATES", "Evidence", "broken_gates"]

GATES: dict[str, Callable[[Evidence], list[str]]] = {
    "nothing lost": nothing_lost,
    "nothing twice": nothing_twice,
    "failed as planted": failed_as_planted,
    "results agree": results_agree,
    "same pixels": same_pixels,
    "no row without its blob": no_row_without_blob,
    "no blob without a row": no_blob_without_row,
    "no lease left": no_lease_left,
    "attempts bounded": attempts_bounded,
    "wake-ups bounded": wake_ups_bounded,
    "work went on": work_went_on,
    "ended well": ended_well,
    "nobody complained": nobody_complained,
    "logs bounded": logs_bounded,
    "memory flat": memory_flat,
    "nothing left behind": nothing_left_behind,
}


def broken_gates(evidence: Evidence) -> dict[str, list[str]]:
    """The gates that do not hold, and what is wrong with each."""
    return {name: found for name, gate in GATES.items() if (found := gate(evidence))}
