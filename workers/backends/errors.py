"""What can go wrong in a backend.

BackendError
├── UnknownBackend      no installed package offers a backend of that name, or a library of its own is missing
├── ModelUnavailable    the weights cannot be loaded: wrong id, no network, broken files
├── OutOfMemory         the device is full: try fewer at once
├── TransientFailure    worth trying again as it is
│   └── DeviceLost      ... but only in a new process
└── BadRequest          this input cannot be worked on
    └── BadSettings     these settings cannot be used
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workers.backends.settings.reading import SettingFault


class BackendError(Exception):
    """A backend failed."""


class UnknownBackend(BackendError):
    """No installed package offers that backend."""


class ModelUnavailable(BackendError):
    """The model's weights cannot be loaded."""


class OutOfMemory(BackendError):
    """The device is out of memory."""


class TransientFailure(BackendError):
    """A passing fault."""


class DeviceLost(TransientFailure):
    """The device will not work again in this process: a worker that meets this ends, and its supervisor starts another."""


class BadRequest(BackendError):
    """The input cannot be worked on."""


class BadSettings(BadRequest):
    """The settings cannot be used; each fault is named."""

    def __init__(self, message: str, *, faults: tuple[SettingFault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults
