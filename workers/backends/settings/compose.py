"""Settings of the prompt writer that composes."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from workers.backends.brief_sets import choose_families
from workers.backends.errors import BadRequest
from workers.backends.settings.base import PromptSettings


class ComposeSettings(PromptSettings):
    """Those of every prompt writer; `brief_set` must name briefs that there are."""

    @model_validator(mode="after")
    def _briefs_exist(self) -> Self:
        try:
            choose_families(self.brief_set)
        except BadRequest as error:
            raise ValueError(str(error)) from None
        return self
