"""What can go wrong in a backend.

BackendError
├── UnknownBackend      no installed package offers a backend of that name, or a library of its own is missing
├── ModelUnavailable    the weights cannot be loaded: wrong id, no network, broken files
├── OutOfMemory         the device is full: try fewer at once
├── TransientFailure    worth trying again as it is
│   ├── DeviceLost      ... but only in a new process
│   └── EndpointUnavailable     ... once the service that computes answers again: no job's fault
├── BackendExit         the backend tried to end the process (`sys.exit`, KeyboardInterrupt)
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


class EndpointUnavailable(TransientFailure):
    """A service that the backend asks (an HTTP endpoint) does not answer at all, or answers that it is overloaded or down.

    What was asked goes back to the queue without an attempt. The worker claims nothing more of this kind for a while, then lets one batch
    through to see whether the service is back.
    """

    def __init__(self, endpoint: str, cause: object = "no answer") -> None:
        """`endpoint` names the service for the operator, without secrets, such as "https://llm.example.org/v1"; `cause` is what was met."""
        super().__init__(f"the endpoint {endpoint} is unavailable: {' '.join(str(cause).split()) or type(cause).__name__}")
        self.endpoint = endpoint


class BackendExit(BackendError):
    """The backend tried to end the process, as by `sys.exit`; it is taken for a fault of what it was working on."""


class BadRequest(BackendError):
    """The input cannot be worked on."""


class BadSettings(BadRequest):
    """The settings cannot be used; each fault is named."""

    def __init__(self, message: str, *, faults: tuple[SettingFault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults
