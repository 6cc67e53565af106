"""Writing the prompts of a batch with a language model: ask, clean, check, ask again with the reason, condense, fall back.

Whatever the model answers, each request gets a prompt that can be used: at worst that of the writer which needs no model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from workers.backends.answers.briefing import INSTRUCTIONS, DrawnBrief, Message, correction, draw_brief, first_message
from workers.backends.answers.checks import comparable, find_fault
from workers.backends.answers.cleaning import clean_answer
from workers.backends.answers.faults import CORRECTIONS, AnswerFault
from workers.backends.clauses import Clause, join, shorten
from workers.backends.compose import compose
from workers.backends.protocol import PromptRequest, PromptResult
from workers.backends.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workers.backends.settings.chat import WriterSettings

#: How a prompt that was too long came to fit.
Condensed = Literal["asked", "summarised", "dropped"]

#: Share of `target_tokens` that is left of a prompt at least when its last clauses are dropped.
_LEFT = 0.4

_CLAUSE = re.compile(r"\s*[,;.]\s+")


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """What a model is to answer, and the seed of its answer."""

    messages: tuple[Message, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class ChatAnswer:
    """What a model said; with a fault it said nothing that can be used."""

    text: str = ""
    #: False if it was cut off at the limit of its length.
    finished: bool = True
    fault: AnswerFault | None = None


class Ask(Protocol):
    """Asks the language model."""

    def __call__(self, conversations: Sequence[Conversation], /) -> Sequence[ChatAnswer]:
        """One answer for each conversation, in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How a prompt came to be."""

    #: The backend that asked.
    writer: str
    #: How often the model was asked.
    asked: int
    #: What was wrong with each answer that was not taken.
    faults: tuple[AnswerFault, ...] = ()
    condensed: Condensed | None = None
    #: Whether the writer without a model had to write it.
    fallback: bool = False

    def as_json(self) -> Mapping[str, Any]:
        """As it is kept beside the prompt."""
        return {**vars(self), "faults": [str(fault) for fault in self.faults]}


@dataclass(kw_only=True)
class _Sheet:
    """One request, and what has come of it."""

    request: PromptRequest
    brief: DrawnBrief
    messages: list[Message]
    asked: int = 0
    faults: list[AnswerFault] = field(default_factory=list)
    #: The first cleaned answer, and the shortest of those that were too long.
    first: str = ""
    overlong: str = ""
    text: str = ""
    condensed: Condensed | None = None

    def conversation(self) -> Conversation:
        # Another seed each time: the same draw would give the same answer to much the same question.
        return Conversation(messages=tuple(self.messages), seed=(self.request.seed + 1_000_003 * self.asked) % 2**63)


def write_prompts(
    requests: Sequence[PromptRequest],
    ask: Ask,
    count: Callable[[str], int],
    settings: WriterSettings,
    *,
    writer: str,
    summarise: Callable[[str], str] | None = None,
) -> list[PromptResult]:
    """One prompt for each request.

    Args:
        requests: what prompts are wanted for.
        ask: asks the language model.
        count: tokens of a text, as the generator counts them.
        settings: the writer's.
        writer: the backend's name, for the record.
        summarise: makes a text shorter.
    """
    briefs = [draw_brief(request, settings) for request in requests]
    sheets = [
        _Sheet(request=request, brief=brief, messages=[first_message(request, brief, settings)])
        for request, brief in zip(requests, briefs, strict=True)
    ]
    taken: set[str] = set()
    told = re.sub(r"\{\w+\}", "", settings.instructions or INSTRUCTIONS)

    def fault_of(sheet: _Sheet, text: str) -> AnswerFault | None:
        return find_fault(text, sheet.request, told=told, brief=sheet.brief.text, taken=taken, count=count, most=settings.max_tokens)

    for _ in range(1 + settings.ask_again):
        # What a service refuses or breaks over, it would again.
        pending = [sheet for sheet in sheets if not sheet.text and not {AnswerFault.REFUSED, AnswerFault.BROKEN} & set(sheet.faults)]
        if not pending:
            break
        for sheet, answer in zip(pending, ask([sheet.conversation() for sheet in pending]), strict=True):
            _take(sheet, answer, fault_of, count, settings)
            if sheet.text:
                taken.add(comparable(sheet.text))
    for sheet in sheets:
        if not sheet.text and sheet.overlong:
            _condense(sheet, fault_of, count, settings, summarise)
            if sheet.text:
                taken.add(comparable(sheet.text))
    return [_result(sheet, count, settings, writer) for sheet in sheets]


def _take(
    sheet: _Sheet,
    answer: ChatAnswer,
    fault_of: Callable[[_Sheet, str], AnswerFault | None],
    count: Callable[[str], int],
    settings: WriterSettings,
) -> None:
    """Take the answer, or say what is wrong with it."""
    sheet.asked += 1
    cleaned = clean_answer(answer.text)
    sheet.first = sheet.first or cleaned.text
    fault = answer.fault or fault_of(sheet, cleaned.text)
    if fault in {None, AnswerFault.TOO_LONG} and not (answer.finished and cleaned.finished):
        fault = AnswerFault.UNFINISHED
    if fault is None:
        sheet.text = cleaned.text
        if AnswerFault.TOO_LONG in sheet.faults:
            sheet.condensed = "asked"
        return
    sheet.faults.append(fault)
    if fault is AnswerFault.TOO_LONG and (not sheet.overlong or count(cleaned.text) < count(sheet.overlong)):
        sheet.overlong = cleaned.text
    if fault in CORRECTIONS:
        # Of the answer no more than a prompt has room for: some never stop.
        said = Message(role="assistant", content=cleaned.text[: 12 * settings.max_tokens] or "...")
        sheet.messages[1:] = [said, correction(fault, settings, tokens=count(cleaned.text))]


def _condense(
    sheet: _Sheet,
    fault_of: Callable[[_Sheet, str], AnswerFault | None],
    count: Callable[[str], int],
    settings: WriterSettings,
    summarise: Callable[[str], str] | None,
) -> None:
    """Make the answer that was too long fit: by the summariser, else by dropping clauses from its end."""
    if summarise is not None:
        shorter = clean_answer(summarise(sheet.overlong)).text
        if fault_of(sheet, shorter) is None:
            sheet.text, sheet.condensed = shorter, "summarised"
            return
    parts = [part for part in _CLAUSE.split(sheet.overlong) if part]
    clauses = [Clause(text=part, rank=rank) for rank, part in enumerate(parts)]
    left = join(shorten(clauses, lambda text: count(text) <= settings.max_tokens))
    if count(left) >= _LEFT * settings.target_tokens and fault_of(sheet, left) is None:
        sheet.text, sheet.condensed = left, "dropped"


def _result(sheet: _Sheet, count: Callable[[str], int], settings: WriterSettings, writer: str) -> PromptResult:
    writing = Writing(writer=writer, asked=sheet.asked, faults=tuple(sheet.faults), condensed=sheet.condensed)
    if not sheet.text:
        return replace(compose(sheet.request, count, settings), writing=replace(writing, fallback=True).as_json())
    first = sheet.overlong or sheet.first
    # Names and titles are kept out of the draft as well: it is shown and searched like the prompt.
    named = Redactor(artist=sheet.request.artist, title=sheet.request.title).mentions(first)
    draft = first if sheet.condensed and not named else sheet.text
    return PromptResult(
        draft=draft,
        text=sheet.text,
        draft_tokens=count(draft),
        tokens=count(sheet.text),
        brief=sheet.brief.family,
        writing=writing.as_json(),
    )
