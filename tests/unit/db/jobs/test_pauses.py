from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.enums import FailureKind
from db.jobs.fail import FIRST_RETRY_DELAY, LONGEST_RETRY_DELAY, RETRIES, retry_delay

RETRIED = [kind for kind, retries in RETRIES.items() if retries]


@given(st.sampled_from(RETRIED), st.integers(0, 50), st.text(max_size=30))
def test_a_pause_is_doubled_each_time_within_a_quarter_and_bounded(kind: FailureKind, failures: int, job_key: str) -> None:
    pause = retry_delay(kind, failures, job_key=job_key)

    if failures >= RETRIES[kind]:
        assert pause is None
        return
    assert pause is not None
    plain = min(LONGEST_RETRY_DELAY, FIRST_RETRY_DELAY[kind] * 2**failures)
    assert 0.75 * plain <= pause <= 1.25 * plain
    assert pause == retry_delay(kind, failures, job_key=job_key)


@given(st.text(max_size=30))
def test_each_pause_is_longer_than_the_one_before(job_key: str) -> None:
    pauses = [retry_delay(FailureKind.TRANSIENT, count, job_key=job_key) or 0.0 for count in range(RETRIES[FailureKind.TRANSIENT])]

    assert all(later > earlier for earlier, later in pairwise(pauses))


@pytest.mark.parametrize("kind", [FailureKind.INPUT, FailureKind.POISON])
def test_what_trying_again_would_not_change_is_not_tried_again(kind: FailureKind) -> None:
    assert retry_delay(kind, 0, job_key="c1-a1-v0-caption") is None


def test_mates_of_a_failed_batch_come_back_apart() -> None:
    pauses = {retry_delay(FailureKind.TRANSIENT, 0, job_key=f"c1-a{number}-v0-caption") for number in range(8)}

    assert len(pauses) > 5


def test_every_kind_of_failure_has_its_number_of_retries() -> None:
    assert set(RETRIES) == set(FailureKind)
    assert set(RETRIED) <= set(FIRST_RETRY_DELAY)
