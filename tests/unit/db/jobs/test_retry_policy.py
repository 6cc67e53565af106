from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.enums import FailureKind
from db.jobs.fail import FIRST_DELAYS, RETRIES, RetryPolicy

RETRIED = [kind for kind, retries in RETRIES.items() if retries]
POLICIES = st.builds(RetryPolicy, first_delay_seconds=st.floats(0, 100), longest_delay_seconds=st.floats(0, 1000))


@given(POLICIES, st.sampled_from(RETRIED), st.integers(0, 50), st.text(max_size=30))
def test_a_pause_is_doubled_each_time_within_a_quarter_and_bounded(
    policy: RetryPolicy, kind: FailureKind, failures: int, job_key: str
) -> None:
    pause = policy.delay(kind, failures, job_key=job_key)

    if failures >= RETRIES[kind]:
        assert pause is None
        return
    assert pause is not None
    plain = min(policy.longest_delay_seconds, policy.first_delay_seconds * FIRST_DELAYS[kind] * 2**failures)
    assert 0.75 * plain <= pause <= 1.25 * plain
    assert pause == policy.delay(kind, failures, job_key=job_key)


def test_by_default_a_passing_fault_waits_five_seconds_memory_ten_and_another_seed_none() -> None:
    policy = RetryPolicy()
    first = {kind: policy.delay(kind, 0, job_key="c1-a1-v1-generate") or 0.0 for kind in RETRIED}

    assert 3.75 <= first[FailureKind.TRANSIENT] <= 6.25
    assert first[FailureKind.OOM] == 2 * first[FailureKind.TRANSIENT]
    assert first[FailureKind.DEGENERATE] == 0


@given(st.text(max_size=30))
def test_each_pause_is_longer_than_the_one_before(job_key: str) -> None:
    retries = range(RETRIES[FailureKind.TRANSIENT])
    pauses = [RetryPolicy().delay(FailureKind.TRANSIENT, count, job_key=job_key) or 0.0 for count in retries]

    assert all(later > earlier for earlier, later in pairwise(pauses))


@pytest.mark.parametrize("kind", [FailureKind.INPUT, FailureKind.POISON])
def test_what_trying_again_would_not_change_is_not_tried_again(kind: FailureKind) -> None:
    assert RetryPolicy().delay(kind, 0, job_key="c1-a1-v0-caption") is None


def test_jobs_of_a_failed_batch_come_back_apart() -> None:
    pauses = {RetryPolicy().delay(FailureKind.TRANSIENT, 0, job_key=f"c1-a{number}-v0-caption") for number in range(8)}

    assert len(pauses) > 5


def test_every_kind_of_failure_has_its_number_of_retries() -> None:
    assert set(RETRIES) == set(FailureKind)
    assert set(RETRIED) == set(FIRST_DELAYS)
