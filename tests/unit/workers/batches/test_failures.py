from __future__ import annotations

import pytest

from db.enums import FailureKind
from db.errors import StoreError
from db.jobs.inputs import MissingInput, MissingReason
from workers.backends.errors import BackendExit, BadRequest, DeviceLost, OutOfMemory, TransientFailure
from workers.batches.failures import failure_of, missing_input
from workers.errors import JobFault


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (JobFault(FailureKind.INPUT, "the image is broken"), FailureKind.INPUT, "the image is broken"),
        (JobFault(FailureKind.DEGENERATE, "black"), FailureKind.DEGENERATE, "black"),
        (OutOfMemory("2 GiB asked"), FailureKind.OOM, "OutOfMemory: 2 GiB asked"),
        (BadRequest("no such setting"), FailureKind.INPUT, "BadRequest: no such setting"),
        (TransientFailure("503"), FailureKind.TRANSIENT, "TransientFailure: 503"),
        (DeviceLost("CUDA error"), FailureKind.TRANSIENT, "DeviceLost: CUDA error"),
        (StoreError("S3 is away"), FailureKind.TRANSIENT, "StoreError: S3 is away"),
        (BackendExit("the backend called sys.exit(1)"), FailureKind.TRANSIENT, "BackendExit: the backend called sys.exit(1)"),
        (KeyError("steps"), FailureKind.TRANSIENT, "KeyError: 'steps'"),
        (ValueError(), FailureKind.TRANSIENT, "ValueError: ValueError"),
        (RuntimeError("one\n  two\tthree"), FailureKind.TRANSIENT, "RuntimeError: one two three"),
    ],
)
def test_an_error_becomes_the_kind_that_decides_about_retries_and_one_line(error: Exception, kind: FailureKind, text: str) -> None:
    failure = failure_of(7, error)

    assert (failure.job_id, failure.kind, failure.error) == (7, kind, text)


def test_an_endless_error_is_cut() -> None:
    assert len(failure_of(1, RuntimeError("x" * 100_000)).error) == 2000


def test_an_unforeseen_error_is_logged_with_its_traceback_and_a_store_error_is_not(caplog: pytest.LogCaptureFixture) -> None:
    failure_of(1, StoreError("away"))
    assert caplog.records == []

    failure_of(2, ZeroDivisionError("no other test raises this"))
    assert "job 2" in caplog.text
    assert caplog.records[0].exc_info is not None

    failure_of(3, ZeroDivisionError("no other test raises this"))
    assert len(caplog.records) == 1, "a million jobs may fail alike"


def test_a_job_without_its_original_says_what_to_do_and_is_not_tried_again() -> None:
    fault = missing_input(MissingInput(job_id=1, artwork_id=1, reason=MissingReason.NO_ORIGINAL))

    assert (fault.kind, str(fault)) == (FailureKind.INPUT, "the original is not there: run `paragone ingest` on the images")


def test_a_job_whose_predecessor_is_made_again_is_tried_later() -> None:
    fault = missing_input(MissingInput(job_id=1, artwork_id=1, reason=MissingReason.SUPERSEDED))

    assert (fault.kind, str(fault)) == (FailureKind.TRANSIENT, "what it works on is being made again")
