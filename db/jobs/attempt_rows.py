"""Writing the history of attempts: a row for each try that ended."""

from __future__ import annotations

from sqlalchemy import Double, bindparam, insert

from db.engine.clock import now
from db.jobs.tables import attempts

#: Inserts attempts that end now; each row also has `since_start`, the seconds since it began on the device, or None if it did not.
INSERT_ATTEMPTS = insert(attempts).values(ended_at=now(), started_at=now() - bindparam("since_start", type_=Double()))
