"""Whether a cleaned answer can be a prompt."""

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

_REFUSAL = re.compile(
    r"^(?:(?:oh|well|unfortunately|regrettably)\W+)*(?:i(?:'|’)?m (?:very |really |so |truly )?(?:sorry|afraid|unable|not able|not comfortable|"
    r"just an ai|an ai)|i am (?:very |really |so |truly )?(?:sorry|afraid|unable|not able|not comfortable|just an ai|an ai)|sorry(?:[,.!:]|\s+(?:but|i|that|this|for|about|if)\b)|"
    r"my apologies|apologies\b|i (?:do )?apologi[sz]e|i (?:can(?:'|’)?t|cannot|can not|could not|won(?:'|’)?t|will not|must decline|"
    r"must refuse|have to decline|don(?:'|’)?t (?:feel|think|have)|do not (?:feel|think|have)|would prefer not|need more)\b|"
    r"it (?:is|would be|(?:'|’)s) (?:not (?:possible|appropriate)|inappropriate)|(?:as|being) an? (?:ai|artificial intelligence|large language|language)\b|"
    r"no prompt\b|(?:could|can) you (?:please )?(?:provide|tell|give|clarify)|please (?:provide|give|share|clarify))"
    r"|\bas an ai\b|\b(?:large )?language model\b|\bcontent polic(?:y|ies)\b|\busage (?:guidelines|polic)|\bi can(?:'|’)?t (?:help|assist|fulfil|"
    r"create|comply|do that)|\bcannot (?:help|assist|fulfil|comply)\b|\bagainst my (?:guidelines|programming|policy)",
    re.IGNORECASE,
)
_META = re.compile(
    r"^(?:let(?:'|’)s |please |now )?(?:transform\b|re-?imagine|re-?paint|re-?create\b|re-?interpret|re-?envision|convert\b|turn (?:the|this|it|that)|"
    r"change (?:the|this)|imagine\b|envision\b|picture (?:a|an|the|this) scene|generate\b|create (?:a|an|the|this)|make (?:a|an|the|this|it)\b|"
    r"depict\b|render (?:a|an|the|this)|design (?:a|an|the)|paint (?:a|an|the|this)|draw (?:a|an|the)|write\b|produce (?:a|an)|"
    r"describe\b|here(?:'|’)?s\b|here (?:is|are)\b|in this (?:prompt|version|rewrite|reimagin)|an? (?:image|text) prompt)"
    r"|\b(?:the|this|a) prompt\b|\bprompt:|\b(?:the |this )?original (?:painting|picture|image|artwork|work|piece|composition|caption|style)\b"
    r"|\bthe original(?:'|’)s\b|\bthe (?:image|picture|artwork|painting|scene) (?:should|must|is to|needs to|will be|would be)\b"
    r"|\bthe caption\b|\bimg2img\b|\btext-to-image\b|\bstable diffusion\b|\bmidjourney\b|\bimage (?:generator|model)\b|\bas (?:requested|instructed)\b"
    r"|\b(?:\d+|fewer) tokens\b|\btransform(?:s|ed|ing)? (?:the|this) (?:painting|picture|image|artwork|scene)\b",
    re.IGNORECASE,
)
#: What is left of a template that was not filled in.
_BLANK = re.compile(r"\{\w+\}|\[[a-z][\w ,/'-]*\]|<[a-z][\w ,/'-]*>|\b_{3,}|\.\.\.\s*\bbecomes?\s*\.\.\.|\binsert (?:the )?\w+ here\b|\blorem ipsum\b", re.IGNORECASE)


def find_fault(
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
    if len(words) < _FEWEST_WORDS:
        return AnswerFault.EMPTY
    if _REFUSAL.search(text):
        return AnswerFault.REFUSAL
    if _is_foreign(text):
        return AnswerFault.FOREIGN
    if Redactor(artist=request.artist, title=request.title).mentions(text) or names_an_artist(text):
        return AnswerFault.NAMED
    if words == _folded_words(request.caption):
        return AnswerFault.CAPTION
    if _BLANK.search(text) or _repeats(words, told) or _is_brief(words, brief):
        return AnswerFault.COPIED
    if _META.search(text):
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
