"""What a worker process tells of its work to whoever watches it: its log, its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.enums import Stage


@dataclass(frozen=True, kw_only=True)
class BatchFacts:
    """One batch that was committed."""

    stage: Stage
    #: The campaign's name.
    campaign: str
    #: How many jobs were claimed together.
    jobs: int
    done: int
    #: Attempts that failed, whether or not they are made again.
    failed: int
    #: Seconds by part of the work: claim, load, decode, wait, device, encode, store, commit; what is not known is left out.
    seconds: Mapping[str, float]


class WorkObserver(Protocol):
    """Is told what happens, in the thread in which it happens: it must be quick, and raise nothing."""

    def model_loaded(self, name: str, seconds: float) -> None:
        """A model was loaded, which took so long."""
        ...

    def model_evicted(self, name: str) -> None:
        """A model was unloaded to make room for others."""
        ...

    def out_of_memory(self, stage: Stage, batch_size: int) -> None:
        """The device was full; from now on so many jobs are tried together at most."""
        ...

    def batch_done(self, facts: BatchFacts) -> None:
        """A batch was committed."""
        ...
