"""What all settings models share, and what the stages of prompts and repaints give to every backend of theirs."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _as_names(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


#: One name, or several.
Names = Annotated[tuple[str, ...], BeforeValidator(_as_names)]


class BackendSettings(BaseModel):
    """Settings of one backend: nothing is converted, and a name that is not a field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CountedBy(BackendSettings):
    """The generator that will read the prompts: its tokenizer counts them."""

    #: Hub id, `local:NAME`, or the path of a directory.
    model: str
    revision: str | None = "main"


class PromptSettings(BackendSettings):
    """What a campaign tells every prompt writer; its defaults are the campaign's."""

    #: Tokens of a prompt at most, as the generator's own tokenizer counts them; SDXL's text encoder reads 75.
    max_tokens: int = Field(ge=4)
    #: About how long a prompt is made.
    target_tokens: int = Field(ge=1)
    #: What the prompt is to ask for: a set of briefs, a family of them, or several of these.
    brief_set: Names
    #: Given by the campaign where the writer has a model of its own; otherwise the writer's model is the generator.
    counted_by: CountedBy | None = None


class RepaintSettings(BackendSettings):
    """What a campaign's level tells every generator; its defaults are the level's."""

    #: Tokens of a prompt that its text encoder reads, without begin and end; None where that depends on the model.
    longest_prompt: ClassVar[int | None] = None

    #: Steps of the whole schedule; `int(steps * strength)` of them are run.
    steps: int = Field(ge=1)
    #: Share of the noise schedule that is run, above 0 and up to 1.
    strength: float = Field(ge=0, le=1)
    #: Classifier-free guidance; 1 turns it off.
    guidance: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _some_step_is_run(self) -> Self:
        # A pipeline that runs no step returns its input or fails far from the cause (diffusers#1867).
        if int(self.steps * self.strength) < 1:
            fix = f"give at least {math.ceil(1 / self.strength)} steps or a higher strength" if self.strength else "give a higher strength"
            raise ValueError(f"{self.steps} steps at strength {self.strength} run no step: {fix}")
        return self
