"""What a language model is told: the picture's caption, the brief of its level, and the rules of a prompt."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.backends.answers.faults import CORRECTIONS, AnswerFault
from workers.backends.brief_sets import choose_families
from workers.backends.caption_cleaning import clean_caption
from workers.backends.caption_parsing import parse_caption
from workers.backends.phrases import Mentions
from workers.backends.redaction import Redactor

if TYPE_CHECKING:
    from workers.backends.protocol import PromptRequest
    from workers.backends.settings.chat import WriterSettings

#: English words for each token of CLIP's and T5's tokenizers, a little on the safe side.
_WORDS_PER_TOKEN = 0.7

_PLACE = re.compile(r"\{(\w+)\}")

INSTRUCTIONS = """\
You write one prompt for a text-to-image model that repaints an existing picture.

The picture shows: {caption}
Its style: {style}
What it is to become: {brief}

Say what the things in this very picture become: name its main subject, what each part turns into, then light, colour and surface.
Write only what can be seen. Short clauses with commas between them, about {words} words, never more than {tokens} tokens.
Name no artist, no title and no person. Do not mention the original, the change, or this task, and do not begin with a verb of command.
Answer with the prompt alone: no introduction, no quotation marks, no list, no remarks."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of a conversation; `role` is "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class DrawnBrief:
    """What was drawn for one request."""

    #: The family's name.
    family: str
    text: str


def draw_brief(request: PromptRequest, settings: WriterSettings) -> DrawnBrief:
    """One brief of the settings' sets that suits the picture, from the request's seed."""
    rng = random.Random(request.seed)
    redactor = Redactor(artist=request.artist, title=request.title)
    families = choose_families(settings.brief_set)
    for family in rng.sample(families, len(families)):
        mentions = Mentions(scene=parse_caption(_caption(request, redactor)))
        if text := redactor.clean(family.draw(rng, lambda text: not redactor.mentions(text), mentions)):
            return DrawnBrief(family=family.name, text=text)
    return DrawnBrief(family=families[0].name, text="")


def first_message(request: PromptRequest, brief: DrawnBrief, settings: WriterSettings) -> Message:
    """The instructions for one request. There is no system message: some models' templates refuse one."""
    redactor = Redactor(artist=request.artist, title=request.title)
    places = {
        "caption": _caption(request, redactor),
        "style": redactor.clean(" ".join(request.style.replace("_", " ").split())) or "unknown",
        "brief": brief.text or "the same scene in another light",
        "words": str(words_for(settings.target_tokens)),
        "tokens": str(settings.max_tokens),
    }
    text = settings.instructions or INSTRUCTIONS
    # Not str.format: instructions may hold braces of their own.
    return Message(role="user", content=_PLACE.sub(lambda match: places.get(match[1], match[0]), text))


def _caption(request: PromptRequest, redactor: Redactor) -> str:
    # Cleaned once more: a caption of an earlier campaign may name whom the captioner took for its artist.
    return redactor.clean(clean_caption(request.caption)) or "a painting"


def correction(fault: AnswerFault, settings: WriterSettings, *, tokens: int = 0) -> Message:
    """What is said to an answer with this fault; `tokens` is how long it was."""
    text = CORRECTIONS.get(fault, "")
    if fault is AnswerFault.TOO_LONG:
        text = f"{text} It has {tokens} tokens, and {settings.max_tokens} is the most."
    again = f"Write it again in about {words_for(settings.target_tokens)} words. The prompt alone."
    return Message(role="user", content=f"{text} {again}".strip())


def words_for(tokens: int) -> int:
    """About how many English words have so many tokens."""
    return max(3, round(tokens * _WORDS_PER_TOKEN))
