"""The filter language over repaints, read into a tree: `similarity > 0.97`, `prompt_agreement < 0.2 and level = radical`.

    any       = all { "or" all }
    all       = one { "and" one }
    one       = "not" one | "(" any ")" | score OPERATOR number | text ("=" | "!=") value | flag
    OPERATOR  = "<" | "<=" | ">" | ">=" | "=" | "!="

A value is a word or stands in quotes, single or double, where a doubled quote is one of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from db.errors import BadFilter
from db.quality.names import FLAGS, TEXT_NAMES, score_names

if TYPE_CHECKING:
    from collections.abc import Iterator

#: More is no filter that a person wrote.
LONGEST, DEEPEST = 2_000, 50

_OPERATORS = ("<", "<=", ">", ">=", "=", "!=")
_KEYWORDS = ("and", "or", "not")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    | (?P<word>\w[\w-]*)
    | (?P<quoted>"(?:[^"]|"")*"|'(?:[^']|'')*')
    | (?P<operator><=|>=|!=|==|=|<|>)
    | (?P<bracket>[()])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class ScoreComparison:
    """A score against a number."""

    name: str
    operator: str
    value: float


@dataclass(frozen=True, kw_only=True)
class TextComparison:
    """A text against a value; the operator is "=" or "!="."""

    name: str
    operator: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Negation:
    """True where its term is not."""

    term: Term


@dataclass(frozen=True, kw_only=True)
class AllOf:
    """True where every term is."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, kw_only=True)
class AnyOf:
    """True where at least one term is."""

    terms: tuple[Term, ...]


Term = ScoreComparison | TextComparison | Negation | AllOf | AnyOf


@dataclass(frozen=True, kw_only=True)
class _Token:
    kind: str
    text: str
    #: Of its first character, from 0.
    position: int


def parse_filter(text: str) -> Term:
    """The tree of a filter; raises `BadFilter` with the place of the first error."""
    return _Parser(text).whole()


def scores_in(term: Term) -> frozenset[str]:
    """The names of the scores that a filter compares."""
    return frozenset(leaf.name for leaf in _leaves(term) if isinstance(leaf, ScoreComparison))


def texts_in(term: Term) -> list[TextComparison]:
    """The comparisons with a text, in their order."""
    return [leaf for leaf in _leaves(term) if isinstance(leaf, TextComparison)]


def _leaves(term: Term) -> Iterator[ScoreComparison | TextComparison]:
    match term:
        case Negation(term=inner):
            yield from _leaves(inner)
        case AllOf(terms=terms) | AnyOf(terms=terms):
            for one in terms:
                yield from _leaves(one)
        case _:
            yield term


class _Parser:
    """Recursive descent: one method for each rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._score_names = score_names()
        if len(text) > LONGEST:
            raise BadFilter(f"the filter has {len(text)} characters: at most {LONGEST} are read")
        self._tokens = self._split()

    def whole(self) -> Term:
        if not self._tokens:
            raise BadFilter("the filter is empty: give such as `similarity > 0.97`")
        term = self._any()
        if (left := self._next()) is not None:
            raise self._error("expected `and`, `or` or the end", left)
        return term

    def _any(self) -> Term:
        terms = [self._all()]
        while self._take_keyword("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else AnyOf(terms=tuple(terms))

    def _all(self) -> Term:
        terms = [self._one()]
        while self._take_keyword("and"):
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else AllOf(terms=tuple(terms))

    def _one(self) -> Term:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"brackets and `not` stand more than {DEEPEST} deep", self._next())
        try:
            if self._take_keyword("not"):
                return Negation(term=self._one())
            if self._take("bracket", "("):
                inner = self._any()
                if not self._take("bracket", ")"):
                    raise self._error("expected `)`", self._next())
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Term:
        name = self._next()
        if name is None or name.kind != "word" or name.text.casefold() in _KEYWORDS:
            raise self._error("expected the name of a score, of a text, or `(`", name)
        self._at += 1
        known = name.text.casefold()
        if known in TEXT_NAMES:
            return self._text_comparison(known)
        if known not in self._score_names:
            raise self._unknown(name)
        operator = self._next()
        if operator is None or operator.kind != "operator":
            if known in FLAGS:
                return ScoreComparison(name=known, operator=">=", value=0.5)
            raise self._error(f"expected {', '.join(_OPERATORS)} after `{known}`", operator)
        self._at += 1
        number = self._next()
        if number is None or number.kind != "number":
            raise self._error(f"`{known}` compares with a number", number)
        self._at += 1
        return ScoreComparison(name=known, operator=operator.text.replace("==", "="), value=float(number.text))

    def _text_comparison(self, name: str) -> Term:
        operator = self._next()
        if operator is None or operator.text not in {"=", "==", "!="}:
            raise self._error(f"expected = or != after `{name}`", operator)
        self._at += 1
        value = self._next()
        if value is None or value.kind not in {"word", "quoted", "number"}:
            raise self._error(f'`{name}` compares with a word, or a text in quotes such as {name} = "..."', value)
        self._at += 1
        quote = value.text[0]
        plain = value.text[1:-1].replace(quote * 2, quote) if value.kind == "quoted" else value.text
        return TextComparison(name=name, operator=operator.text.replace("==", "="), value=plain)

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        at, end = 0, len(self._text.rstrip())
        while at < end:
            found = _TOKEN.match(self._text, at)
            if found is None or found.lastgroup is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                what = "a quote is not closed" if self._text[at] in "\"'" else f"{self._text[at]!r} means nothing here"
                raise self._error(what, _Token(kind="", text="", position=at))
            tokens.append(_Token(kind=found.lastgroup, text=found[found.lastgroup], position=found.start(found.lastgroup)))
            at = found.end()
        return tokens

    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, kind: str, text: str) -> bool:
        token = self._next()
        if token is None or token.kind != kind or token.text.casefold() != text:
            return False
        self._at += 1
        return True

    def _take_keyword(self, word: str) -> bool:
        return self._take("word", word)

    def _unknown(self, name: _Token) -> BadFilter:
        known = (*self._score_names, *TEXT_NAMES)
        near = get_close_matches(name.text.casefold(), known, n=1)
        hint = f"did you mean `{near[0]}`? Known are " if near else "known are "
        return self._error(f"unknown name {name.text!r} ({hint}{', '.join(known)})", name)

    def _error(self, what: str, token: _Token | None) -> BadFilter:
        place = f"at character {token.position + 1}" if token is not None else "at its end"
        return BadFilter(f"the filter {self._text!r} cannot be read {place}: {what}")
