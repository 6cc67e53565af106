"""What a worker learns from each heartbeat: that its host is drained, how far the clock is off, and that its program has become too old."""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from db.engine.compatibility import check_program
from db.errors import ProgramTooOld
from db.monitoring.hosts import LARGE_CLOCK_OFFSET

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.monitoring.worker_registry import HeartbeatAnswer

logger = logging.getLogger(__name__)

#: Seconds that a heartbeat may take for its clocks to be compared: the offset is known to half of that.
QUICK_SECONDS = 1.0


class LeaveReason(StrEnum):
    """Why a worker is to finish what it holds and end."""

    #: Its host was drained.
    DRAINED = "drained"
    #: The database was migrated beyond what this program can work with.
    TOO_OLD = "too-old"


class HostWatch:
    """Takes the answers to one worker's heartbeats; asks it once to leave, if it has to."""

    def __init__(self, host: str, *, on_leave: Callable[[LeaveReason], None], clock: Callable[[], float] = time.time) -> None:
        """`clock` gives the host's time in seconds since 1970."""
        self._host = host
        self._on_leave = on_leave
        self._clock = clock
        self._leaves = False
        self._told_offset = False
        #: Seconds by which this host's clock is ahead of the database's; None before anybody can tell.
        self.clock_offset: float | None = None

    def sent_at(self) -> float:
        """The host's time, to be asked for just before a heartbeat."""
        return self._clock()

    def take(self, answer: HeartbeatAnswer | None, *, sent_at: float) -> None:
        """What came back for the heartbeat that was sent at that time."""
        received_at = self._clock()
        if answer is None:
            return
        if 0 <= received_at - sent_at <= QUICK_SECONDS:
            self.clock_offset = (sent_at + received_at) / 2 - answer.database_now
            self._tell_offset(self.clock_offset)
        if not self._leaves:
            self._judge(answer)

    def _judge(self, answer: HeartbeatAnswer) -> None:
        try:
            if answer.oldest_code is not None:
                check_program(answer.oldest_code)
        except ProgramTooOld as error:
            logger.error("%s; this worker finishes what it holds and ends", error)  # noqa: TRY400  # one clear line
            self._leave(LeaveReason.TOO_OLD)
            return
        if answer.drained:
            logger.warning("%s; this worker finishes what it holds and ends", drained_text(self._host))
            self._leave(LeaveReason.DRAINED)

    def _leave(self, reason: LeaveReason) -> None:
        self._leaves = True
        self._on_leave(reason)

    def _tell_offset(self, offset: float) -> None:
        if abs(offset) <= LARGE_CLOCK_OFFSET:
            self._told_offset = False
        elif not self._told_offset:
            self._told_offset = True
            logger.warning("%s: no job suffers, but times in logs do not fit those of other hosts", clock_text(self._host, offset))


def drained_text(host: str) -> str:
    """That a host is drained, and how that is taken back."""
    return f"the host {host} is drained (`paragone drain {host} --undo` takes that back)"


def clock_text(host: str, offset: float) -> str:
    """How far a host's clock is off."""
    return f"the clock of {host} is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} the database's"
