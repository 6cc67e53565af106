"""From what went wrong with a job to the kind of its failure, which decides about retries, and one line of cause."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from db.enums import FailureKind
from db.errors import StoreError
from db.jobs.inputs import MissingInput, MissingReason
from db.results.stage_results import Failure
from workers.backends.errors import BadRequest, OutOfMemory
from workers.error_log import ErrorLog
from workers.errors import JobFault

if TYPE_CHECKING:
    from db.jobs.inputs import JobInput

#: A million jobs may fail alike.
_errors = ErrorLog(logging.getLogger(__name__))

#: Characters of a cause that are kept.
LONGEST_CAUSE = 2000


def failure_of(job_id: int, error: Exception) -> Failure:
    """The failure that an error means for a job."""
    if isinstance(error, JobFault):
        return Failure(job_id=job_id, kind=error.kind, error=str(error))
    if isinstance(error, OutOfMemory):
        kind = FailureKind.OOM
    elif isinstance(error, BadRequest):
        kind = FailureKind.INPUT
    else:
        # Network, store, driver, or a fault nobody foresaw: worth a few tries, and its text informs the operator.
        kind = FailureKind.TRANSIENT
        if not isinstance(error, StoreError):
            _errors.write(f"job {job_id}: {error!r}", error)
    text = " ".join(str(error).split()) or type(error).__name__
    return Failure(job_id=job_id, kind=kind, error=f"{type(error).__name__}: {text}"[:LONGEST_CAUSE])


def missing_input(found: JobInput | MissingInput) -> JobFault:
    """Why a job cannot be prepared for what was found of its input."""
    if not isinstance(found, MissingInput):
        return JobFault(FailureKind.TRANSIENT, f"{type(found).__name__} is no input of this stage")
    if found.reason is MissingReason.NO_ORIGINAL:
        return JobFault(FailureKind.INPUT, "the original is not there: run `paragone ingest` on the images")
    return JobFault(FailureKind.TRANSIENT, "what it works on is being made again")
