"""Which batch keys have ready jobs, found by as many steps through a partial index as there are such keys.

Neither the jobs nor the campaigns that ever were are gone through: each step asks the index for the first entry after the last key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CTE, literal_column, select

from db.enums import JobState
from db.jobs.tables import jobs
from db.jobs.transitions import in_literal_state

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

# Written out: a partial index is used only where its condition stands in the statement as it is.
_READY = in_literal_state(JobState.READY)
#: Ready, and to be claimed now: the condition of ix_jobs_claim.
CLAIMABLE = (_READY, jobs.c.not_before == literal_column("0"))
#: Ready, but not yet to be claimed: the condition of ix_jobs_backing_off.
BACKING_OFF = (_READY, jobs.c.not_before > literal_column("0"))


def keys_in_use(name: str, condition: tuple[ColumnElement[bool], ...]) -> CTE:
    """The keys that have jobs of the condition, one of the two above, as a table `name` with the column `batch_key`; the last is NULL."""
    first = select(jobs.c.batch_key).where(*condition).order_by(jobs.c.batch_key).limit(1).scalar_subquery()
    found = select(first.label("batch_key")).cte(name, recursive=True, nesting=True)
    following = select(jobs.c.batch_key).where(*condition, jobs.c.batch_key > found.c.batch_key).order_by(jobs.c.batch_key).limit(1)
    step = select(following.correlate(found).scalar_subquery()).where(found.c.batch_key.is_not(None))
    return found.union_all(step)
