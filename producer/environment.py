"""The settings of this process, read from the environment once, by whatever entry point is used."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from db.settings import Settings
from producer.errors import ProducerError


def read_settings(**given: Any) -> Settings:
    """Settings from `PARAGONE_*`, under those that are given; raises `ProducerError` that names each wrong one on one line."""
    try:
        return Settings(**given)
    except ValidationError as error:
        faults = "; ".join(f"PARAGONE_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
        raise ProducerError(f"the environment contains settings that cannot be used: {faults}") from None
