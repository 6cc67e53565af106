"""Reading a batch's settings: known keys, sane ranges, and a `BadRequest` that says how to mend what is not. Other keys are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.backends.errors import BadRequest

if TYPE_CHECKING:
    from workers.backends.protocol import Settings


def integer(settings: Settings, key: str, default: int, *, least: int = 1) -> int:
    """A whole number of at least `least`."""
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadRequest(f"{key} = {value!r}: give a whole number of at least {least}")
    return value


def number(settings: Settings, key: str, default: float, *, least: float, most: float) -> float:
    """A number between `least` and `most`, both allowed."""
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise BadRequest(f"{key} = {value!r}: give a number from {least} to {most}")
    return float(value)


def text(settings: Settings, key: str, default: str) -> str:
    """A string; None counts as the default."""
    value = settings.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise BadRequest(f"{key} = {value!r}: give a text")
    return value
