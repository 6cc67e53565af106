"""How much memory the images that are being decoded may take together, over all threads of a process.

Every image passes the bound for one image alone, but four of them at once do not fit on a small machine: a thread with a large image waits
until there is room. Who came first goes first, so that a large image is not overtaken by small ones for ever. One that is larger than the
whole budget goes when no other is being decoded.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

#: Bytes that decoding may take at once in one process: one image at the pixel bound with transparency, and small ones beside it.
DECODING_BYTES = 2 * 2**30

#: A decoded image above this many bytes counts until it is freed; smaller ones are bounded well enough by the number of threads.
WATCHED_BYTES = 64 * 2**20

#: How long one waits for decoded images that others hold. Not for ever: the holder may be the one that waits, with a batch in its hands.
PATIENCE_SECONDS = 10.0

#: Bytes that Pillow stores for a pixel of a mode; modes not named here take four, whatever their bands.
_STORED_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}

#: Bytes of a pixel of the RGB image that comes out.
_RGB_BYTES = 4


def decoding_bytes(width: int, height: int, mode: str, *, progressive: bool = False) -> int:
    """Bytes that decoding takes at its peak: the image as stored, the RGB image made from it, and a progressive JPEG's coefficients."""
    stored = _STORED_BYTES.get(mode, 4)
    coefficients = 6 if progressive else 0  # three components of 16 bits
    return width * height * (stored + _RGB_BYTES + coefficients)


class MemoryBudget:
    """A number of bytes that threads share; fair and safe for any number of threads."""

    def __init__(self, limit: int, *, patience: float = PATIENCE_SECONDS) -> None:
        """`limit` in bytes; `patience`, in seconds, for images that are decoded and still held."""
        self.limit = limit
        self._patience = patience
        self._changed = threading.Condition(threading.RLock())  # a finalizer may run wherever memory is allocated
        self._queue: deque[object] = deque()
        self._decoding = 0
        self._kept = 0

    @property
    def in_use(self) -> int:
        """Bytes that are taken now: by decoding, and by the large images that were decoded and are still there."""
        return self._decoding + self._kept

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Wait for room for `size` bytes, in the order of arrival, and hold them inside the block."""
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._wait(ticket, size)
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
            self._decoding += size
        try:
            yield
        finally:
            with self._changed:
                self._decoding -= size
                self._changed.notify_all()

    def keep(self, image: Image) -> None:
        """Count a decoded image, if it is a large one, until it is freed."""
        size = image.width * image.height * _RGB_BYTES
        if size < WATCHED_BYTES:
            return
        with self._changed:
            self._kept += size
        weakref.finalize(image, self._freed, size).atexit = False

    def _wait(self, ticket: object, size: int) -> None:
        """Until this ticket is the first and its bytes fit; without a decoder at work only as long as patience goes."""

        def first() -> bool:
            return self._queue[0] is ticket

        def fits() -> bool:
            return first() and (self.in_use == 0 or self.in_use + size <= self.limit)

        while not self._changed.wait_for(fits, self._patience):
            if first() and self._decoding == 0:
                return

    def _freed(self, size: int) -> None:
        with self._changed:
            self._kept -= size
            self._changed.notify_all()


#: The budget of this process: every decode goes through it.
DECODING = MemoryBudget(DECODING_BYTES)
