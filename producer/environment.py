"""The settings of this process, read from the environment once, by whatever entry point is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from db.secret_files import export_library_secrets
from db.settings import Settings
from producer.errors import ProducerError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def read_settings(**given: Any) -> Settings:
    """Settings from `PARAGONE_*`, under those that are given; raises `ProducerError` that names each wrong one on one line.

    Libraries' own secrets that lie in files (`HF_TOKEN_FILE`, ...) are put into the environment, where the libraries look for them. Raises
    `BadConfiguration` for a secret's file that cannot be used.
    """
    export_library_secrets(os.environ)
    try:
        return Settings(**given)
    except ValidationError as error:
        faults = "; ".join(_said(fault) for fault in error.errors(include_url=False, include_input=False))
        raise ProducerError(f"the environment contains settings that cannot be used: {faults}") from None


def _said(fault: ErrorDetails) -> str:
    """One fault in few words; what settings have between them names its variables itself."""
    cause = fault["msg"].removeprefix("Value error, ")
    return f"PARAGONE_{str(fault['loc'][0]).upper()}: {cause}" if fault["loc"] else cause
