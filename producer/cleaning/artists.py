"""Names that say that nobody knows the artist."""

from __future__ import annotations

import re

from producer.cleaning.spelling import repaired

_NOBODY = re.compile(r"^(?:unknown|unidentified|anonymous|artist unknown)\b", re.IGNORECASE)
_EMPTY = frozenset({"", "none", "nan", "null", "n/a", "-", "?"})


def known_artist(name: str | None) -> str | None:
    """The artist's name, its spelling repaired; None if it is missing or begins with "unknown" or "unidentified"."""
    plain = " ".join(repaired(name or "").split())
    return None if plain.casefold() in _EMPTY or _NOBODY.match(plain) else plain
