"""Names that mean that the artist is unknown."""

from __future__ import annotations

import re

from producer.cleaning.empty_cells import filled
from producer.cleaning.spelling import repair_spelling

_UNKNOWN = re.compile(r"^(?:unknown|unidentified|anonymous|artist unknown)\b", re.IGNORECASE)


def known_artist(name: str | None) -> str | None:
    """The artist's name, its spelling repaired; None if it is missing or begins with "unknown" or "unidentified"."""
    name = " ".join(repair_spelling(name or "").split())
    return None if not filled(name) or _UNKNOWN.match(name) else name
