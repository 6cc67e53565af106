"""The closed sets of words that the database holds: stages, states, kinds of failure, outcomes."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """One step of the path of an artwork; the order of definition is the order of work."""

    #: A sentence about the original.
    CAPTION = "caption"
    #: The text that tells the generator what to make, one for each variation.
    PROMPT = "prompt"
    #: The repaint itself.
    GENERATE = "generate"
    #: A sentence about the repaint.
    RECAPTION = "recaption"

    @property
    def per_variation(self) -> bool:
        """False for the one stage that works on the artwork itself."""
        return self is not Stage.CAPTION

    @property
    def position(self) -> int:
        """Its place in the order of work, from 0."""
        return list(Stage).index(self)

    @property
    def later(self) -> tuple[Stage, ...]:
        """The stages after it, in order."""
        return tuple(Stage)[self.position + 1 :]

    @property
    def up_to(self) -> tuple[Stage, ...]:
        """The stages before it and itself, in order."""
        return tuple(Stage)[: self.position + 1]

    @property
    def following(self) -> Stage | None:
        """The next stage; None after the last."""
        return next(iter(self.later), None)


class JobState(StrEnum):
    """Where a job stands."""

    #: Its predecessor is not done, or its original is not there.
    WAITING = "waiting"
    #: Any worker may claim it; one that backs off (`not_before` is not 0) when its pause is over.
    READY = "ready"
    #: A worker holds it under a lease.
    RUNNING = "running"
    #: Its result is committed.
    DONE = "done"
    #: Given up until somebody requeues it.
    FAILED = "failed"
    #: Taken out by the operator.
    CANCELLED = "cancelled"


#: The states of jobs that may still be worked on.
UNFINISHED_STATES = (JobState.WAITING, JobState.READY, JobState.RUNNING)


class FailureKind(StrEnum):
    """Why a job failed: decides whether it is tried again."""

    #: The image or text is bad: trying again would change nothing.
    INPUT = "input"
    #: A passing fault: network, driver, store.
    TRANSIENT = "transient"
    #: The device ran out of memory even for this job alone.
    OOM = "oom"
    #: The output is black, NaN, flat where the original is not, or equal to the original.
    DEGENERATE = "degenerate"
    #: It took its worker down, alone, several times.
    POISON = "poison"


class AttemptOutcome(StrEnum):
    """How one attempt ended."""

    #: Its result was committed.
    DONE = "done"
    #: It failed, with a kind and a text.
    FAILED = "failed"
    #: Its worker was silent until the lease ran out.
    LOST = "lost"


class WorkerEnd(StrEnum):
    """How a worker process ended that did not give its jobs back itself."""

    #: It was asked to, and did not make it within its grace period: that says nothing about its jobs.
    STOPPED = "stopped"
    #: By SIGKILL from outside: an operator, or a program that guards the host's memory. Its jobs run alone from then on, to find out.
    KILLED = "killed"
    #: By itself: what was on its device may be the cause.
    CRASHED = "crashed"


class WorkerEnded(StrEnum):
    """How the end of a worker process became known."""

    #: It said so itself.
    STOPPED = "stopped"
    #: Its supervisor saw it.
    DIED = "died"
    #: Nothing was heard of it any more.
    SILENT = "silent"


class HostState(StrEnum):
    """What a host does for the work."""

    #: At least one of its workers is alive and may claim.
    WORKING = "working"
    #: It was drained, and workers of it still finish what they hold.
    DRAINING = "draining"
    #: It was drained, and no worker of it is left.
    DRAINED = "drained"
    #: None of its workers is alive, and the last was not stopped: it died, or cannot reach the database.
    SILENT = "silent"


class ImageState(StrEnum):
    """What is known of an artwork's original."""

    #: Known from a file list alone; no file was seen yet.
    PLANNED = "planned"
    #: Opened, measured and hashed.
    PRESENT = "present"
    #: Opened and found broken; the reason stands beside it.
    UNREADABLE = "unreadable"


class CampaignState(StrEnum):
    """Whether a campaign's jobs may be claimed."""

    #: Workers take its jobs.
    OPEN = "open"
    #: Claimed work is finished, nothing new is claimed.
    PAUSED = "paused"
    #: What was not done is cancelled.
    CANCELLED = "cancelled"
