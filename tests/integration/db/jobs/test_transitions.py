from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind, ImageState, Stage
from db.jobs.control import cancel
from db.jobs.lease import release_batch
from db.jobs.requeue import JobFilter, requeue
from tests.builders import CampaignHarness, artworks_of, harness_of, original_arrives
from tests.builders.moves import ALLOWED_MOVES, recorded_moves

if TYPE_CHECKING:
    from db.engine import Database


def go_through_everything(harness: CampaignHarness, absent: int) -> None:
    """Whatever can happen to a job."""
    original_arrives(harness.database, absent)
    late, lost, again = (harness.claim(Stage.CAPTION, limit=1, worker=name) for name in ("late", "lost", "again"))
    harness.crash_workers(late, lost, again)
    harness.finish(late)
    harness.fail(lost, FailureKind.INPUT)
    harness.fail(again, FailureKind.TRANSIENT)
    release_batch(harness.database, harness.claim(Stage.CAPTION).token)
    harness.skip_retry_delays()
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    requeue(harness.database, JobFilter())
    harness.run(Stage.CAPTION)
    # Prompts in every state, when what they are made from is made again
    harness.finish(harness.claim(Stage.PROMPT, limit=1))
    harness.fail(harness.claim(Stage.PROMPT, limit=1), FailureKind.INPUT)
    harness.claim(Stage.PROMPT, limit=1)
    requeue(harness.database, JobFilter(done=True, stage=Stage.CAPTION))
    harness.run(Stage.CAPTION, mark=" again")
    harness.claim(Stage.PROMPT, limit=1)
    cancel(harness.database, harness.campaign.id, None)


def test_every_move_that_the_table_names_happens_and_no_other(sqlite_database: Database) -> None:
    artworks_of(sqlite_database, 5)
    (absent,) = artworks_of(sqlite_database, 1, picture=ImageState.PLANNED)

    with recorded_moves(sqlite_database) as moves:
        go_through_everything(harness_of(sqlite_database), absent)
        made = moves()

    assert made == ALLOWED_MOVES
