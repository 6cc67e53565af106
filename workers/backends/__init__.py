"""Backends: one model that does one stage's work. This package's face loads no torch; the concrete backends are entry points."""

from __future__ import annotations

from workers.backends.errors import BackendError, BadRequest, DeviceLost, ModelUnavailable, OutOfMemory, TransientFailure
from workers.backends.protocol import (
    Backend,
    CaptionRequest,
    CaptionResult,
    ModelSource,
    PromptRequest,
    PromptResult,
    RepaintRequest,
    RepaintResult,
    Settings,
)

__all__ = [
    "Backend",
    "BackendError",
    "BadRequest",
    "CaptionRequest",
    "CaptionResult",
    "DeviceLost",
    "ModelSource",
    "ModelUnavailable",
    "OutOfMemory",
    "PromptRequest",
    "PromptResult",
    "RepaintRequest",
    "RepaintResult",
    "Settings",
    "TransientFailure",
]
