"""Durations, as an operator types them (30s, 10m, 2h, 3d) and as people read them (2 h 5 min), and paces (12.0/min)."""

from __future__ import annotations

import re

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_duration(text: str) -> float:
    """Seconds; a bare number is seconds too. Raises `ValueError`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration: write 30s, 10m, 2h or 3d")
    return float(found[1]) * _UNITS[found[2] or "s"]


def format_duration(seconds: float) -> str:
    """A time span for people, in its two largest units: `3 d 4 h`, `2 min 5 s`."""
    left = max(0, round(seconds))
    parts = []
    for name, unit in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count:,} {name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def format_pace(per_second: float) -> str:
    """Jobs per second, minute or hour, whichever gives a readable number; empty for none."""
    if per_second <= 0:
        return ""
    for unit, seconds in (("s", 1), ("min", 60)):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:,.1f}/{unit}"
    return f"{per_second * 3600:,.1f}/h"
