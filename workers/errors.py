"""What can go wrong in the workers.

WorkerError
├── NoSuchDevice        a GPU was named that this host does not have
├── ModelTrouble        a model or backend that a campaign names is unavailable on this worker
├── ServiceMissing      a database or a broker did not answer while a command waited for it
├── JobFault            one job cannot be done; carries its failure kind
├── MetricsPortTaken    metrics cannot be served at the address and port asked for
├── TracingUnavailable  traces are asked for, and what sends them is not installed or not named rightly
├── BrokerUnavailable   there is no broker, or it does not start (workers.broker.errors)
├── BadBrokerUrl        PARAGONE_BROKER_URL cannot be used (workers.broker.errors)
└── BrokerNotTrusted    the broker's certificate is not accepted, or it does not encrypt (workers.broker.errors)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.errors import ParagoneError

if TYPE_CHECKING:
    from db.enums import FailureKind


class WorkerError(ParagoneError):
    """The worker cannot do this."""


class NoSuchDevice(WorkerError):
    """A GPU was named that this host does not have."""


class ModelTrouble(WorkerError):
    """A model or backend that a campaign names is unavailable on this worker."""


class ServiceMissing(WorkerError):
    """A database or a broker did not answer while a command waited for it."""


class MetricsPortTaken(WorkerError):
    """Metrics cannot be served at that address and port: choose others."""


class TracingUnavailable(WorkerError):
    """Traces are asked for and cannot be sent: pip install 'paragone[tracing]'."""


class JobFault(WorkerError):
    """One job cannot be done."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
