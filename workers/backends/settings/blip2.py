"""Settings of BLIP-2."""

from __future__ import annotations

from pydantic import Field

from workers.backends.settings.base import BackendSettings


class Blip2Settings(BackendSettings):
    """How a caption is decoded."""

    #: Tokens of a caption at most. BLIP-2 ends its sentences after 10 to 20.
    max_new_tokens: int = Field(default=40, ge=1)
    #: Beams of the search; 1 is greedy.
    num_beams: int = Field(default=1, ge=1)
    #: What the model has to complete; empty for its own way, the bare image.
    prompt: str = ""
