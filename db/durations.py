"""Durations as an operator types them: 30s, 10m, 2h, 3d."""

from __future__ import annotations

import re

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_duration(text: str) -> float:
    """Seconds; a bare number is seconds too. Raises `ValueError`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration: write 30s, 10m, 2h or 3d")
    return float(found[1]) * _UNITS[found[2] or "s"]
