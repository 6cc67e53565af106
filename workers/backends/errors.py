"""What can go wrong in a backend.

BackendError
├── ModelUnavailable    the weights cannot be had: wrong id, no network, broken files
├── OutOfMemory         the device is full: try fewer at once
├── TransientFailure    worth trying again as it is
│   └── DeviceLost      ... but only in a new process
└── BadRequest          this input cannot be worked on
"""

from __future__ import annotations


class BackendError(Exception):
    """A backend failed."""


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
