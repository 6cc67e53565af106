"""Fields that every JSON line of a process or of a block has: what is being worked on, without being handed through every call."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOTHING: Mapping[str, object] = MappingProxyType({})
_block: ContextVar[Mapping[str, object]] = ContextVar("log_context", default=_NOTHING)
_process: dict[str, object] = {}


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Add fields of `db.logs.json_lines.FIELDS` to whatever this thread logs while the block runs; inner blocks go before outer ones."""
    token = _block.set({**_block.get(), **fields})
    try:
        yield
    finally:
        _block.reset(token)


def set_process_fields(**fields: object) -> None:
    """Add fields to whatever this process logs from now on: its host, its worker."""
    _process.update(fields)


def current_fields() -> dict[str, object]:
    """The fields that hold here and now."""
    return {**_process, **_block.get()}
