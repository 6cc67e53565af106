"""What can go wrong in the workers' room.

WorkerError
├── NoSuchDevice        a GPU was named that this host does not have
├── ModelTrouble        a model that a campaign names cannot be used here
├── UnknownBackend      no installed package offers that backend
├── JobFault            one job cannot be done; carries its failure kind
└── BrokerUnavailable   there is no broker to be had (workers.broker.errors)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.errors import ParagoneError

if TYPE_CHECKING:
    from db.enums import FailureKind


#: Exit code of a worker that ended because a model cannot be had: starting it again would change nothing.
EXIT_MODEL_TROUBLE = 3


class WorkerError(ParagoneError):
    """The worker cannot do this."""


class NoSuchDevice(WorkerError):
    """A GPU was named that this host does not have."""


class ModelTrouble(WorkerError):
    """A model that a campaign names cannot be used on this worker."""


class UnknownBackend(ModelTrouble):
    """No installed package offers that backend."""


class JobFault(WorkerError):
    """One job cannot be done."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
