"""The client of `soak.py`, a process that does nothing else: times `status` and a claim every few seconds and prints them as JSON lines.

The process that strikes and watches would also measure how its own threads wait for each other.
"""

from __future__ import annotations

import json
import logging
import os
import time
from typing import TYPE_CHECKING

from db.engine import connect
from db.enums import Stage
from db.errors import DatabaseUnavailable
from db.jobs.claim import claim_batch, ready_batches
from db.jobs.lease import release_batch
from db.monitoring.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database

#: Names of the figures: milliseconds.
STATUS, CLAIM = "status ms", "claim ms"
#: The variable that names the database.
DATABASE_URL = "SOAK_DATABASE_URL"

LOOK_SECONDS = 3.0
CLAIMS = 5


def main() -> None:
    logging.disable()
    database = connect(os.environ[DATABASE_URL])
    while True:
        try:
            for name, seconds in _looks(database):
                print(json.dumps({name: seconds * 1000}), flush=True)
        except DatabaseUnavailable:
            pass  # it is away now, as it is meant to be from time to time
        time.sleep(LOOK_SECONDS)


def _looks(database: Database) -> Iterator[tuple[str, float]]:
    began = time.perf_counter()
    progress(database)
    yield STATUS, time.perf_counter() - began
    for _ in range(CLAIMS):
        began = time.perf_counter()
        first = ready_batches(database, list(Stage))[:1]
        batches = [claim_batch(database, worker_id="soak", candidate=one, limit=8, lease_seconds=60) for one in first]
        took = time.perf_counter() - began
        for batch in filter(None, batches):
            release_batch(database, batch.token)
            yield CLAIM, took


if __name__ == "__main__":
    main()
