"""Ids of traces and spans that follow from names, so that workers who never meet continue one trace."""

from __future__ import annotations

import hashlib
import threading

from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

#: Bytes of the ids in the W3C trace context.
TRACE_BYTES, SPAN_BYTES = 16, 8


def trace_id_of(*names: object) -> int:
    """The trace of these names: always the same, and hardly ever another's."""
    return int.from_bytes(_digest(names)[:TRACE_BYTES]) or 1


def span_id_of(*names: object) -> int:
    """The span of these names."""
    return int.from_bytes(_digest(names)[:SPAN_BYTES]) or 1


class ChosenIds(IdGenerator):
    """Random ids, unless the calling thread has chosen those of its next span."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self._of_thread = threading.local()

    def choose(self, *, trace_id: int | None = None, span_id: int | None = None) -> None:
        """The ids of the calling thread's next span, None for random ones."""
        self._of_thread.trace_id, self._of_thread.span_id = trace_id, span_id

    def generate_trace_id(self) -> int:
        """For a span without a parent."""
        return getattr(self._of_thread, "trace_id", None) or self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        """For every span."""
        return getattr(self._of_thread, "span_id", None) or self._random.generate_span_id()


def _digest(names: tuple[object, ...]) -> bytes:
    return hashlib.sha256("\x1f".join(str(name) for name in names).encode()).digest()
