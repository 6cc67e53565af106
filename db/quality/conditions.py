"""A filter as an SQL condition on `images`, for any query that selects from that table.

An image fits only if it has every score that the filter names: what was not measured is neither good nor bad. So a condition is true or
false, never NULL, and `not` means what it says. A text that is not known (an artwork without a style) compares as the empty one.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, false, func, not_, or_, select

from db.campaigns.tables import variations
from db.catalogue.queries import known_styles
from db.catalogue.tables import artworks
from db.errors import BadFilter
from db.quality.filter_syntax import AllOf, AnyOf, Negation, ScoreComparison, Term, TextComparison, parse_filter, scores_in, texts_in
from db.quality.tables import scores
from db.results.tables import images, prompts

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement, Exists

    from db.engine import Database

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


def where(text: str) -> ColumnElement[bool]:
    """The condition that an image fits the filter, for use in `select(...)` over `db.tables.images`.

    It says nothing of `images.current`: whoever asks for the repaints that count adds that.

    Raises:
        BadFilter: the filter cannot be read; the message names the place and what is known.
    """
    term = parse_filter(text)
    return and_(*(_has(name) for name in sorted(scores_in(term))), _condition(term))


def lacking(text: str) -> ColumnElement[bool]:
    """The condition that an image lacks a score that the filter names, and so fits neither it nor its opposite; raises `BadFilter`."""
    return or_(false(), *(~_has(name) for name in sorted(scores_in(parse_filter(text)))))


def check_values(database: Database, text: str) -> None:
    """Raise `BadFilter` for a level or style that nothing in the database has: such a filter would choose nothing, or everything."""
    wanted = texts_in(parse_filter(text))
    known: dict[str, list[str]] = {}
    for comparison in wanted:
        if comparison.name not in {"level", "style"} or not comparison.value:
            continue
        if comparison.name not in known:
            known[comparison.name] = known_styles(database) if comparison.name == "style" else _known_levels(database)
        if comparison.value not in known[comparison.name]:
            there = ", ".join(known[comparison.name]) or "none yet"
            raise BadFilter(f"the filter {text!r} names a {comparison.name} {comparison.value!r} that nothing has: there are {there}")


def _known_levels(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(variations.c.level).distinct()))


def _condition(term: Term) -> ColumnElement[bool]:
    match term:
        case AnyOf(terms=terms):
            return or_(*map(_condition, terms))
        case AllOf(terms=terms):
            return and_(*map(_condition, terms))
        case Negation(term=inner):
            return not_(_condition(inner))
        case ScoreComparison():
            return _has(term.name, (term.operator, term.value))
        case TextComparison():
            return _text(term)


def _has(name: str, comparison: tuple[str, float] | None = None) -> Exists:
    """That the image has a score of that name, which compares so."""
    score = scores.alias()
    found = select(score.c.image_id).where(score.c.image_id == images.c.id, score.c.name == name)
    if comparison is not None:
        sign, value = comparison
        found = found.where(_OPERATORS[sign](score.c.value, value))
    return found.correlate(images).exists()


def _text(term: TextComparison) -> ColumnElement[bool]:
    row: Any
    match term.name:
        case "level":
            row = variations.alias()
            column, mine = row.c.level, row.c.id == images.c.variation_id
        case "brief":
            row = prompts.alias()
            column, mine = row.c.brief, row.c.id == images.c.prompt_id
        case _:
            row = artworks.alias()
            column, mine = row.c[term.name], row.c.id == images.c.artwork_id
    return select(row.c.id).where(mine, _OPERATORS[term.operator](func.coalesce(column, ""), term.value)).correlate(images).exists()
