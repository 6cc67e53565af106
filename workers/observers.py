"""What a worker tells of its work to whoever counts or logs it; nobody who observes can hold up a batch or make it fail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from workers.error_log import ErrorLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from db.enums import Stage

_errors = ErrorLog(logging.getLogger(__name__))


class BatchPart(StrEnum):
    """One part of a batch's time, in the order of work; a part within another is not counted in the outer one."""

    #: Finding and claiming it.
    CLAIM = "claim"
    #: Reading its inputs from the database, and the images' bytes from the store.
    LOAD = "load"
    #: Decoding and laying out.
    DECODE = "decode"
    #: Waiting until another batch has left the device.
    WAIT = "wait"
    #: Loading its model on the device, where it was not loaded yet.
    MODEL = "model"
    #: Computing on the device.
    DEVICE = "device"
    #: In a backend that needs no device, such as an endpoint.
    BACKEND = "backend"
    #: Checking and encoding what came of it.
    ENCODE = "encode"
    #: Writing blobs into the store.
    STORE = "store"
    #: Writing results into the database.
    COMMIT = "commit"


@dataclass(frozen=True, kw_only=True)
class BatchFacts:
    """One batch whose results are committed."""

    stage: Stage
    #: The campaign's name.
    campaign: str
    #: How many jobs were claimed; those neither done nor failed went back without an attempt, or belong to another worker now.
    jobs: int
    done: int
    #: How many failed, for good or to be tried again.
    failed: int
    #: Seconds by `BatchPart`; parts that it had not are left out.
    seconds: dict[str, float]


class WorkObserver(Protocol):
    """Is told of the work of one worker process; any of its threads may call it."""

    def model_loaded(self, name: str, seconds: float) -> None:
        """A model is ready, after so many seconds of loading."""
        ...

    def model_evicted(self, name: str) -> None:
        """A model had to leave the device so that another fits."""
        ...

    def out_of_memory(self, stage: Stage, batch_size: int) -> None:
        """So many jobs of this stage were too much for the device's memory."""
        ...

    def batch_done(self, facts: BatchFacts) -> None:
        """A batch is committed."""
        ...


class Observers:
    """Tells all observers; one that fails is logged and disturbs nobody."""

    def __init__(self, observers: Iterable[WorkObserver] = ()) -> None:
        self._observers = tuple(observers)

    def __bool__(self) -> bool:
        """Whether anybody observes."""
        return bool(self._observers)

    def model_loaded(self, name: str, seconds: float) -> None:
        """As `WorkObserver`."""
        self._tell(lambda observer: observer.model_loaded(name, seconds))

    def model_evicted(self, name: str) -> None:
        """As `WorkObserver`."""
        self._tell(lambda observer: observer.model_evicted(name))

    def out_of_memory(self, stage: Stage, batch_size: int) -> None:
        """As `WorkObserver`."""
        self._tell(lambda observer: observer.out_of_memory(stage, batch_size))

    def batch_done(self, facts: BatchFacts) -> None:
        """As `WorkObserver`."""
        self._tell(lambda observer: observer.batch_done(facts))

    def _tell(self, call: Callable[[WorkObserver], None]) -> None:
        for observer in self._observers:
            try:
                call(observer)
            except Exception as error:  # noqa: BLE001  # a count is not worth a batch
                _errors.write("what observes the work failed", error)
