"""Mutants of the product: what holds it together is taken out in the worker processes, so that the gates can be seen to fail."""

from __future__ import annotations

import hashlib
import importlib
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

call: Callable[[str, Callable[[Any], None]], None] = importlib.import_module("after_import").call

#: Seconds after which the mutant that commits first writes the blob.
LATE_SECONDS = 4.0


def switch_on(name: str) -> None:
    """Switch a mutant on in this process."""
    MUTANTS[name]()


def _fencing_off() -> None:
    """A batch is committed whoever holds its jobs by now."""

    def change(complete: Any) -> None:
        whoever = complete.bindparam("mine") != ""
        kept = [whoever if "lease_token" in str(condition) else condition for condition in complete._DONE._where_criteria]
        mutated = complete._DONE._clone()
        mutated._where_criteria = tuple(kept)
        complete._DONE = mutated

    call("db.jobs.complete", change)


def _sweeper_off() -> None:
    """Nobody takes back what the dead hold."""

    def change(sweep: Any) -> None:
        nothing = sweep.Swept(returned=0, poisoned=0)
        sweep.sweep = lambda *_arguments, **_named: nothing
        sweep.return_jobs_of = lambda *_arguments, **_named: nothing

    call("db.jobs.sweep", change)


def _row_before_blob() -> None:
    """A repaint's row is committed before its blob is written."""

    def change(store: Any) -> None:
        put = store.Store.put

        def later(self: Any, data: bytes) -> str:
            timer = threading.Timer(LATE_SECONDS, put, (self, data))
            timer.daemon = True
            timer.start()
            return hashlib.sha256(data).hexdigest()

        store.Store.put = later

    call("db.store.store", change)


def _uniqueness_off() -> None:
    """Planning does not see what was planned before; the test takes the unique constraints away."""

    def change(planned_work: Any) -> None:
        planned_work.present_variations = lambda *_arguments, **_named: defaultdict(set)

    call("db.jobs.planned_work", change)


def _store_marker_off() -> None:
    """Whatever lies where the store should be is taken for it."""

    def change(faults: Any) -> None:
        faults.StoreFaults.verify = lambda *_arguments, **_named: None

    call("db.store.faults", change)


def _breaker_off() -> None:
    """A store that is away counts as a fault of the job that meets it, and nothing stops the claims."""

    def change_errors(faults: Any) -> None:
        faults.StoreUnavailable = importlib.import_module("db.errors").StoreError

    @contextmanager
    def admitted(*_arguments: Any, **_named: Any) -> Iterator[bool]:
        yield True

    def change_outages(outages: Any) -> None:
        outages.Outages.blocks = lambda *_arguments, **_named: False
        outages.Outages.trial = admitted

    call("db.store.faults", change_errors)
    call("workers.outages", change_outages)


def _exit_code_swallowed() -> None:
    """A worker process that ends counts as done, however it ended."""

    def change(child_ending: Any) -> None:
        child_ending.ChildEnding.is_done = property(lambda _ending: True)

    call("workers.supervision.child_ending", change)


MUTANTS: dict[str, Callable[[], None]] = {
    "fencing off": _fencing_off,
    "sweeper off": _sweeper_off,
    "row before blob": _row_before_blob,
    "uniqueness off": _uniqueness_off,
    "store marker off": _store_marker_off,
    "breaker off": _breaker_off,
    "exit code swallowed": _exit_code_swallowed,
}
