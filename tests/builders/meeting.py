"""Two transactions that meet: one has written everything and not committed when the other begins."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db.engine import Database


@dataclass(kw_only=True)
class Meeting:
    """How the other transaction fared."""

    #: What it returned or raised.
    outcome: list[Any] = field(default_factory=list)
    #: It ended before the first one was committed.
    passed: bool = False


@contextmanager
def meanwhile(database: Database, act: Callable[[], Any], *, seconds: float = 0.3) -> Iterator[Meeting]:
    """Run `act` in a thread of its own before the next commit of this one, which waits so long for it to end."""
    meeting = Meeting()
    here = threading.get_ident()

    def run() -> None:
        try:
            meeting.outcome.append(act())
        except Exception as error:  # noqa: BLE001  # the test looks at it
            meeting.outcome.append(error)

    thread = threading.Thread(target=run)

    def before_commit(_connection: Any) -> None:
        if threading.get_ident() == here and thread.ident is None:
            thread.start()
            thread.join(seconds)
            meeting.passed = not thread.is_alive()

    event.listen(database.engine, "commit", before_commit)
    try:
        yield meeting
    finally:
        event.remove(database.engine, "commit", before_commit)
        thread.join(30)
    assert not thread.is_alive()
    assert meeting.outcome, "nothing was committed"
