"""How many requests of one kind fit the device at once: falls when memory runs out, grows again towards the campaign's batch size.

What filled the device may have been another process, another model or one large picture, so a limit that was found is not final: after a
number of full batches without trouble twice as many are tried. If these do not fit, the limit falls back to what did, and the next try
waits for twice as many batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Full batches at a limit below the campaign's batch size, without trouble, before twice as many are tried the first time.
GROWTH_BATCHES = 16


@dataclass(kw_only=True)
class Capacity:
    """The most requests that fit the device at once. It begins with the campaign's batch size, which it never exceeds."""

    #: What a claim takes and a piece of a batch holds at most.
    limit: int
    _ceiling: int = field(init=False)
    #: The limit that has proved to fit; smaller than `limit` while a larger one is being tried.
    _proved: int = field(init=False)
    #: Full batches without trouble at this limit.
    _fitted: int = field(init=False, default=0)
    #: How many of them are wanted before it grows.
    _wanted: int = field(init=False, default=GROWTH_BATCHES)

    def __post_init__(self) -> None:
        self._ceiling = self._proved = self.limit

    @property
    def is_growing(self) -> bool:
        """Whether more than what has proved to fit is being tried."""
        return self.limit > self._proved

    def end_growth(self, failed: int) -> bool:
        """So many requests did not fit: if it was the growth that did not, fall back to what did; False if that is not the reason."""
        if not self.is_growing or failed <= self._proved:
            return False
        self.limit = self._proved
        self._fitted = 0
        self._wanted *= 2
        return True

    def shrink(self, failed: int) -> bool:
        """So many requests did not fit, with nothing else on the device: from now on half as many; False if it was a single one."""
        if failed == 1:
            return False
        self.limit = self._proved = max(1, failed // 2)
        self._fitted = 0
        return True

    def note_fit(self, together: int) -> None:
        """At most so many requests of a batch ran together: if they were the limit, it fits."""
        if together < self.limit or (self.limit == self._ceiling and not self.is_growing):
            return
        self._fitted += 1
        if self._fitted < self._wanted:
            return
        if self.is_growing:
            self._wanted = GROWTH_BATCHES
        self._proved = self.limit
        self._fitted = 0
        self.limit = min(self._ceiling, 2 * self.limit)
