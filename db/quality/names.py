"""The names that a filter may use: scores, which are numbers, and what is known of a repaint as text."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import entry_points

#: Entry point group of scorers: each writes a score under its own name.
SCORER_GROUP = "paragone.scorers"

#: Whether a near-duplicate of the repaint is better, as 1 or 0; `near_duplicates` writes it beside the number of the group.
DUPLICATE = "duplicate"

#: Scores that are yes or no, and may stand in a filter by themselves.
FLAGS = frozenset({DUPLICATE})

#: Names that compare with a text.
TEXT_NAMES = ("level", "style", "artist", "brief")


def score_names() -> tuple[str, ...]:
    """The scores that installed packages can make, sorted."""
    return _score_names(tuple(sys.path))


@lru_cache(maxsize=4)
def _score_names(_path: tuple[str, ...]) -> tuple[str, ...]:
    """Looked up once for each module path: it reads the metadata of every installed package."""
    return tuple(sorted({point.name for point in entry_points(group=SCORER_GROUP)} | FLAGS))
