"""Backends that do what a test says, and remember what was asked of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from workers.backends.settings.fakes import NoBackendSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.backends.protocol import ModelSource
    from workers.backends.settings.base import BackendSettings


class Scripted:
    """A backend class for one test: its answers are its requests, unless the test says otherwise."""

    needs_device: ClassVar[bool] = True
    settings_type: ClassVar[type[BackendSettings]] = NoBackendSettings
    #: Called instead of loading, with the source; gives the revision.
    on_load: ClassVar[Callable[[ModelSource], str]]
    #: Called with each batch before it is answered.
    on_run: ClassVar[Callable[[Sequence[Any]], None]]
    #: "load m", "unload m", in the order of events.
    log: ClassVar[list[str]]
    sources: ClassVar[list[ModelSource]]
    batches: ClassVar[list[list[Any]]]
    #: The largest number of batches that ran at one time.
    together: ClassVar[int]
    _running: ClassVar[int]
    _lock: ClassVar[threading.Lock]

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        self.revision = ""

    def load(self) -> None:
        type(self).sources.append(self.source)
        self.log.append(f"load {self.source.location}")
        self.revision = type(self).on_load(self.source)

    def run(self, batch: Sequence[Any], settings: BackendSettings) -> Sequence[Any]:
        mine = type(self)
        with mine._lock:
            mine.batches.append(list(batch))
            mine._running += 1
            mine.together = max(mine.together, mine._running)
        try:
            mine.on_run(batch)
        finally:
            with mine._lock:
                mine._running -= 1
        return batch

    def unload(self) -> None:
        self.log.append(f"unload {self.source.location}")


def scripted(
    *,
    needs_device: bool = True,
    load: Callable[[ModelSource], str] = lambda _: "r1",
    run: Callable[[Sequence[Any]], None] = lambda _: None,
) -> type[Scripted]:
    """A fresh backend class."""
    facts = {
        "needs_device": needs_device,
        "on_load": staticmethod(load),
        "on_run": staticmethod(run),
        "log": [],
        "sources": [],
        "batches": [],
        "together": 0,
        "_running": 0,
        "_lock": threading.Lock(),
    }
    return type("Script", (Scripted,), facts)
