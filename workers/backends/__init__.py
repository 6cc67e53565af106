"""Backends: one model that does one stage's work. This package itself loads no torch; the concrete backends are entry points."""

from __future__ import annotations

from workers.backends.errors import (
    BackendError,
    BackendExit,
    BadRequest,
    BadSettings,
    DeviceLost,
    EndpointUnavailable,
    ModelUnavailable,
    OutOfMemory,
    TransientFailure,
    UnknownBackend,
)
from workers.backends.protocol import (
    Backend,
    CaptionRequest,
    CaptionResult,
    ModelSource,
    PromptRequest,
    PromptResult,
    RepaintRequest,
    RepaintResult,
)
from workers.backends.settings.base import BackendSettings

__all__ = [
    "Backend",
    "BackendError",
    "BackendExit",
    "BackendSettings",
    "BadRequest",
    "BadSettings",
    "CaptionRequest",
    "CaptionResult",
    "DeviceLost",
    "EndpointUnavailable",
    "ModelSource",
    "ModelUnavailable",
    "OutOfMemory",
    "PromptRequest",
    "PromptResult",
    "RepaintRequest",
    "RepaintResult",
    "TransientFailure",
    "UnknownBackend",
]
