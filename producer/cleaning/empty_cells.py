"""Cells that say in words that nothing is in them: what spreadsheets, pandas and databases write for a gap."""

from __future__ import annotations

EMPTY = frozenset({"", "nan", "none", "null", "n/a", "#n/a", "<na>", "nat", "nil", "-", "--", "\u2013", "\u2014", "?"})


def filled(cell: str | None) -> str:
    """The cell without blanks at its edges; the empty string if it only says that it is empty."""
    text = (cell or "").strip()
    return "" if text.casefold() in EMPTY else text
