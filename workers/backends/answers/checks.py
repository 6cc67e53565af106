"""Whether a cleaned answer can be a prompt."""

# ruff: noqa: RUF001 - the typographic apostrophe is meant

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from workers.backends.answers.artists import names_an_artist
from workers.backends.answers.faults import AnswerFault
from workers.backends.redaction import Redactor, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from workers.backends.protocol import PromptRequest

#: Words that an answer has at least.
_FEWEST_WORDS = 3
#: Words in a row that are no chance when they stand in the instructions too.
_COPIED_WORDS = 9
#: Words by which an answer must go beyond a brief that it repeats.
_OWN_WORDS = 3
#: Share of letters that are not Latin from which on a text is in another script.
_FOREIGN_SHARE = 0.15

_UNABLE = r"(?:(?:very|really|so|truly) )?(?:sorry|afraid|unable|not able|not comfortable|(?:just )?an ai)"

#: How refusals and apologies begin.
_REFUSAL_OPENINGS = (
    rf"i(?:'m| am) {_UNABLE}\b",
    r"sorry(?:[,.!:]|\s+(?:but|i|that|this|for|about|if)\b)",
    r"(?:my )?apologies\b",
    r"i (?:do )?apologi[sz]e",
    r"i (?:can't|cannot|can not|could not|won't|will not|must (?:decline|refuse)|have to decline|would prefer not|need more)\b",
    r"i (?:don't|do not) (?:feel|think|have)\b",
    r"it(?: is|'s| would be) (?:not (?:possible|appropriate)|inappropriate)",
    r"(?:as|being) an? (?:ai|artificial intelligence|(?:large )?language)\b",
    r"no prompt\b",
    r"(?:could|can) you (?:please )?(?:provide|tell|give|clarify)",
    r"please (?:provide|give|share|clarify)",
)
#: What only somebody who refuses says, wherever it stands.
_REFUSAL_WORDS = (
    r"as an ai",
    r"(?:large )?language model",
    r"content polic(?:y|ies)",
    r"usage (?:guidelines|polic(?:y|ies))",
    r"i can't (?:help|assist|fulfil|create|comply|do that)",
    r"cannot (?:help|assist|fulfil|comply)",
    r"against my (?:guidelines|programming|policy|policies)",
)
_LEAD = r"(?:(?:oh|well|unfortunately|regrettably)\W+)*"
_REFUSAL = re.compile(rf"^{_LEAD}(?:{'|'.join(_REFUSAL_OPENINGS)})|\b(?:{'|'.join(_REFUSAL_WORDS)})\b", re.IGNORECASE)

#: Commands to a painter, where a description is wanted.
_COMMANDS = (
    r"(?:transform|convert|generate|envision|imagine|depict|describe|write|re-?create)\b",
    r"re-?(?:imagin|paint|interpret|envision)",
    r"(?:turn|change|make) (?:the|this|it|that|a|an)\b",
    r"(?:create|render|paint|draw|design|produce) (?:a|an|the|this)\b",
    r"picture (?:a|an|the|this) scene",
    r"here(?:'s| is| are)\b",
    r"in this (?:prompt|version|rewrite|reimagin)",
    r"an? (?:image|text) prompt",
)
#: Talk about the task, wherever it stands.
_TALK = (
    r"(?:the|this|a) prompt\b",
    r"prompt:",
    r"(?:the |this )?original (?:painting|picture|image|artwork|work|piece|composition|caption|style)\b",
    r"the original's\b",
    r"the (?:image|picture|artwork|painting|scene) (?:should|must|is to|needs to|will be|would be)\b",
    r"the caption\b",
    r"(?:img2img|text-to-image|stable diffusion|midjourney)\b",
    r"image (?:generator|model)\b",
    r"as (?:requested|instructed)\b",
    r"(?:\d+|fewer) tokens\b",
    r"transform(?:s|ed|ing)? (?:the|this) (?:painting|picture|image|artwork|scene)\b",
)
_META = re.compile(rf"^(?:(?:let's|please|now) )?(?:{'|'.join(_COMMANDS)})|\b(?:{'|'.join(_TALK)})", re.IGNORECASE)

#: What is left of a template that was not filled in.
_BLANKS = (r"\{\w+\}", r"\[[a-z][\w ,/'-]*\]", r"<[a-z][\w ,/'-]*>", r"_{3,}", r"\binsert (?:the )?\w+ here\b", r"\blorem ipsum\b")
_BLANK = re.compile("|".join(_BLANKS), re.IGNORECASE)


def find_fault(  # noqa: PLR0911  # one return for each fault
    text: str,
    request: PromptRequest,
    *,
    told: str,
    brief: str,
    taken: Collection[str],
    count: Callable[[str], int],
    most: int,
) -> AnswerFault | None:
    """What is wrong with a cleaned answer; None if it can be used.

    Args:
        text: the cleaned answer.
        request: what it was asked for.
        told: the instructions without caption, style and brief, as nothing of them may come back.
        brief: the brief, which alone is no answer.
        taken: the `comparable` prompts of the batch so far.
        count: tokens of a text.
        most: tokens at most.
    """
    words = _folded_words(text)
    straight = text.replace("’", "'")
    if len(words) < _FEWEST_WORDS:
        return AnswerFault.EMPTY
    if _REFUSAL.search(straight):
        return AnswerFault.REFUSAL
    if _is_foreign(text):
        return AnswerFault.FOREIGN
    if Redactor(artist=request.artist, title=request.title).mentions(text) or names_an_artist(text):
        return AnswerFault.NAMED
    if words == _folded_words(request.caption):
        return AnswerFault.CAPTION
    if _BLANK.search(straight) or _repeats(words, told) or _is_brief(words, brief):
        return AnswerFault.COPIED
    if _META.search(straight):
        return AnswerFault.META
    if comparable(text) in taken:
        return AnswerFault.REPEATED
    return AnswerFault.TOO_LONG if count(text) > most else None


def comparable(text: str) -> str:
    """A text without case, accents and punctuation: two prompts that are equal in it are the same."""
    return " ".join(_folded_words(text))


def _folded_words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text))


def _is_foreign(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    foreign = sum(not unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return foreign > _FOREIGN_SHARE * max(1, len(letters))


def _repeats(words: list[str], told: str) -> bool:
    """Whether nine words in a row stand in the instructions as well."""
    known = _folded_words(told)
    runs = {tuple(known[at : at + _COPIED_WORDS]) for at in range(len(known) - _COPIED_WORDS + 1)}
    return any(tuple(words[at : at + _COPIED_WORDS]) in runs for at in range(len(words) - _COPIED_WORDS + 1))


def _is_brief(words: list[str], brief: str) -> bool:
    """Whether it is the brief and hardly a word more."""
    known = _folded_words(brief)
    if len(known) < _FEWEST_WORDS or len(words) - len(known) >= _OWN_WORDS:
        return False
    return any(words[at : at + len(known)] == known for at in range(len(words) - len(known) + 1))
