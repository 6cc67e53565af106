from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sqlalchemy import update

from db.enums import FailureKind, Stage
from db.tables import artworks, attempts
from tests.builders import artworks_of, harness_of

if TYPE_CHECKING:
    from db.store import Store
    from tests.integration.producer.commands.conftest import Operator


def test_only_orphans_past_their_grace_age_are_removed(operator: Operator) -> None:
    store = operator.runtime.store
    wanted, orphan = store.put(b"an original"), store.put(b"an orphan")
    for content_hash in (wanted, orphan):
        age(store, content_hash, seconds=60)
    (artwork,) = artworks_of(operator.database, 1)
    with operator.database.engine.begin() as connection:
        connection.execute(update(artworks).where(artworks.c.id == artwork).values(content_hash=wanted))
    rest = {"leftovers": 0, "work_under_way": False, "attempts": None}
    assert operator.json_of("gc") == {"blobs": 0, "byte_size": 0, "kept": 2, "grace_seconds": 86400.0, "dry_run": False, **rest}
    would = {"blobs": 1, "byte_size": 9, "kept": 1, "grace_seconds": 0.0, "dry_run": True}
    assert operator.json_of("gc --grace 0s --dry-run") == {**would, **rest}
    assert store.exists(orphan)
    assert "removed 1 orphan blob older than 0 s (9 bytes), kept 1" in operator.output_of("gc --grace 0s")
    assert not store.exists(orphan)
    assert store.exists(wanted)


def test_a_collection_beside_running_jobs_says_what_it_kept_for_them(operator: Operator) -> None:
    store = operator.runtime.store
    orphan = store.put(b"about to be committed")
    age(store, orphan, seconds=300)
    harness_of(operator.database, 1).claim(Stage.CAPTION)

    printed = operator.output_of("gc --grace 0s")

    assert "removed 0 orphan blobs older than 10 min (0 bytes), kept 1" in printed
    assert "jobs are running: what is younger than 10 min may be theirs and was kept" in printed
    assert store.exists(orphan)


def test_unfinished_files_are_counted_apart(operator: Operator) -> None:
    store = operator.runtime.store
    store.put_named("scratch/1234", b"who")
    age_file(f"{operator.runtime.settings.store_location}/scratch/1234", seconds=2 * 86400.0)

    assert "removed 1 unfinished file that a killed process had left" in operator.output_of("gc")
    assert store.scratch() == []


def test_old_attempts_are_pruned_if_asked_for(sqlite_operator: Operator) -> None:
    harness = harness_of(sqlite_operator.database, 2)
    harness.finish(harness.claim(Stage.CAPTION))
    harness.fail(harness.claim(Stage.PROMPT), FailureKind.TRANSIENT)
    with sqlite_operator.database.engine.begin() as connection:
        connection.execute(update(attempts).values(ended_at=attempts.c.ended_at - 2 * 86400.0))
    all_of_them = len(harness.rows(attempts))

    assert sqlite_operator.json_of("gc --attempts 3d")["attempts"] == 0
    assert sqlite_operator.json_of("gc --attempts 1d --dry-run")["attempts"] == 2
    assert len(harness.rows(attempts)) == all_of_them
    assert "removed 2 attempts older than 1 d from the database" in sqlite_operator.output_of("gc --attempts 1d")
    assert len(harness.rows(attempts)) == all_of_them - 2


def age(store: Store, content_hash: str, *, seconds: float) -> None:
    age_file(store.path(content_hash), seconds=seconds)


def age_file(path: str, *, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))
