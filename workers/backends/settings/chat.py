"""Settings of the prompt writers that ask a language model, and of the one that runs it through transformers."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from workers.backends.settings.base import CountedBy  # noqa: TC001  # pydantic needs it
from workers.backends.settings.compose import ComposeSettings

#: What own instructions may name in braces.
PLACES = ("brief", "caption", "style", "tokens", "words")

_PLACE = re.compile(r"\{(\w*)\}")


class WriterSettings(ComposeSettings):
    """What every writer that asks a language model takes; the writer without one, which steps in, takes the first three."""

    #: What the model is told, in place of the shipped instructions; {caption}, {style}, {brief}, {words} and {tokens} are filled in.
    instructions: str = ""
    #: How far answers are sampled from the likeliest; 0 takes the likeliest word each time.
    temperature: float = Field(default=0.7, ge=0, le=2)
    #: Share of the probability that is sampled from.
    top_p: float = Field(default=0.9, gt=0, le=1)
    #: Tokens of an answer at most, as the language model counts them.
    max_new_tokens: int = Field(default=200, ge=8)
    #: How often the model is asked again, with the reason, where an answer cannot be used.
    ask_again: int = Field(default=2, ge=0, le=10)

    #: The generator, by whose tokenizer the answers are counted: the campaign's levels name it.
    counted_by: CountedBy | None = Field(default=None, validate_default=True)

    @field_validator("counted_by")
    @classmethod
    def _a_language_model_is_named(cls, value: CountedBy | None) -> CountedBy:
        # The campaign gives it where prompt.model names a model, and only there.
        if value is None:
            raise ValueError("it is empty: name the language model that writes")
        return value

    @field_validator("instructions")
    @classmethod
    def _instructions_can_be_filled(cls, value: str) -> str:
        if not value:
            return value
        named = _PLACE.findall(value)
        if unknown := sorted(set(named) - set(PLACES)):
            raise ValueError(f"there is no place {{{unknown[0]}}}: choose from {', '.join(f'{{{place}}}' for place in PLACES)}")
        if "caption" not in named or "brief" not in named:
            raise ValueError("{caption} and {brief} must be named: without them every artwork gets the same prompt")
        return value


class ChatSettings(WriterSettings):
    """Those of every writer that asks a language model, and a model that shortens."""

    #: Hub id or directory of a summariser (a sequence-to-sequence model such as facebook/bart-large-cnn) for answers that stay too long;
    #: empty drops their last clauses instead.
    summarizer: str = ""
    #: Commit, tag or branch of the summariser; a branch is not frozen.
    summarizer_revision: str = "main"
