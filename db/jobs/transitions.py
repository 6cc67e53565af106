"""The states of a job and the moves between them: every statement that sets a job's state is built here, from this table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import literal_column, update

from db.engine.clock import now
from db.enums import JobState
from db.jobs.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import ColumnElement, Update

WAITING, READY, RUNNING, DONE, FAILED, CANCELLED = JobState

#: The states in which planning creates a job.
INITIAL_STATES: frozenset[JobState] = frozenset({WAITING, READY})

#: Each state, and the states that may follow it. A job that keeps its state but starts over, or backs off, counts as a move too.
TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    # Its predecessor is done, or its original has arrived; superseded again before that; or the operator takes it out.
    WAITING: frozenset({READY, WAITING, CANCELLED}),
    # Claimed. A worker whose lease ran out may still finish it or fail it, and crashes at which it was alone may condemn it.
    READY: frozenset({RUNNING, DONE, FAILED, READY, WAITING, CANCELLED}),
    # Finished; failed for good, or to be tried again; released, or its lease ran out; what it is made from is made again; or cancelled.
    RUNNING: frozenset({DONE, FAILED, READY, WAITING, CANCELLED}),
    # Requeued, or what it was made from is made again.
    DONE: frozenset({READY, WAITING}),
    FAILED: frozenset({READY, WAITING}),
    CANCELLED: frozenset(),
}


def origins(target: JobState) -> tuple[JobState, ...]:
    """The states that may be followed by `target`."""
    return tuple(state for state in JobState if target in TRANSITIONS[state])


def in_state(*states: JobState) -> ColumnElement[bool]:
    """The condition that a job is in one of these states, as parameters of the statement."""
    if len(states) == 1:
        return jobs.c.state == str(states[0])
    return jobs.c.state.in_([str(state) for state in states])


def in_literal_state(state: JobState) -> ColumnElement[bool]:
    """The same with the state written out: a partial index is used only where its condition stands in the statement as it is."""
    return jobs.c.state == literal_column(f"'{state}'")


def move(target: JobState, *, leaving: Collection[JobState] | None = None) -> Update:
    """An UPDATE that moves jobs to `target`, of all that may be moved there or of those in the states `leaving`.

    Conditions and further values are added to it. It writes `changed_at` too.

    Raises:
        ValueError: the table does not allow such a move.
    """
    allowed = origins(target)
    states = allowed if leaving is None else tuple(leaving)
    if not set(states) <= set(allowed):
        raise ValueError(f"a job cannot go from {' or '.join(sorted(set(states) - set(allowed)))} to {target}")
    return update(jobs).where(in_state(*states)).values(state=str(target), changed_at=now())
