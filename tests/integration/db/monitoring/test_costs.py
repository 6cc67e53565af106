from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, false, select, update

from db.enums import AttemptOutcome, Stage
from db.gpu_price import GpuPrice
from db.monitoring import device_rates as rates_of
from db.monitoring.progress import progress
from db.tables import attempts, batch_keys, jobs
from tests.builders import harness_of

if TYPE_CHECKING:
    from db.engine import Database
    from db.monitoring.costs import CostOutlook

CAPTION_SECONDS, OTHER_SECONDS = 2.0, 0.25


def _take(database: Database, campaign_id: int) -> None:
    """Let a caption of the campaign have taken 2 s, anything else 0.25 s."""
    mine = select(jobs.c.id).where(jobs.c.campaign_id == campaign_id)
    with database.engine.begin() as connection:
        connection.execute(update(attempts).where(attempts.c.job_id.in_(mine)).values(seconds=OTHER_SECONDS))
        captions = mine.where(jobs.c.stage == str(Stage.CAPTION))
        connection.execute(update(attempts).where(attempts.c.job_id.in_(captions)).values(seconds=CAPTION_SECONDS))


def _costs(database: Database, campaign_id: int | None = None, price: GpuPrice | None = None) -> CostOutlook:
    found = progress(database, campaign_id, price=price).costs
    assert found is not None
    return found


def test_a_campaign_under_way_tells_what_it_took_and_what_is_left(database: Database) -> None:
    harness = harness_of(database, 4)
    harness.run(*Stage)
    harness_of(database, 6)  # the same campaign: ten artworks by now
    _take(database, harness.campaign.id)

    costs = _costs(database, harness.campaign.id, GpuPrice(amount=36.0, currency="EUR"))

    spent, left = 4 * CAPTION_SECONDS + 24 * OTHER_SECONDS, 6 * CAPTION_SECONDS + 36 * OTHER_SECONDS
    assert costs.spent.gpu_hours == pytest.approx(spent / 3600, abs=1e-4)
    assert costs.left.gpu_hours == pytest.approx(left / 3600, abs=1e-4)
    assert costs.left.money == pytest.approx(left / 100, abs=0.01)
    assert costs.currency == "EUR"
    assert costs.left.disk_bytes == pytest.approx(12 / 8 * costs.spent.disk_bytes, rel=0.01)
    assert costs.basis == {
        "caption": "measured in this campaign (4 jobs)",
        **dict.fromkeys(("prompt", "generate", "recaption"), "measured in this campaign (8 jobs)"),
    }


def test_without_a_price_no_money_is_told_and_without_jobs_nothing(database: Database) -> None:
    assert progress(database).costs is None
    harness_of(database, 1)
    costs = _costs(database)
    assert (costs.spent.money, costs.left.money, costs.currency) == (None, None, None)
    assert progress(database, details=False).costs is None


def test_what_was_never_measured_is_assumed_and_said_to_be(database: Database) -> None:
    harness_of(database, 2)

    costs = _costs(database)

    assert costs.left.gpu_hours > 0
    assert costs.spent.gpu_hours == 0
    assert costs.basis["caption"] == "assumed: 0.1 s a caption on an A100"
    assert all(text.startswith("assumed: ") for text in costs.basis.values())


def test_the_same_model_in_another_campaign_is_measured_there(database: Database) -> None:
    first = harness_of(database, 3, name="first")
    first.run_all()
    _take(database, first.campaign.id)
    second = harness_of(database, name="second")

    costs = _costs(database, second.campaign.id)

    assert costs.left.gpu_hours == pytest.approx((3 * CAPTION_SECONDS + 18 * OTHER_SECONDS) / 3600, abs=1e-4)
    assert costs.basis["caption"] == "measured in other campaigns with the same model (3 jobs)"


def test_what_is_no_longer_among_the_latest_attempts_is_found_by_its_campaign(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    old = harness_of(database, 3, name="old")
    old.run_all()
    _take(database, old.campaign.id)
    monkeypatch.setattr(rates_of, "_LATEST_ATTEMPTS", rates_of._LATEST_ATTEMPTS.where(false()))

    assert _costs(database, old.campaign.id).basis["caption"] == "measured in this campaign (3 jobs)"
    new = harness_of(database, name="new")
    assert _costs(database, new.campaign.id).basis["caption"] == "measured in other campaigns with the same model (3 jobs)"
    with database.engine.begin() as connection:
        connection.execute(delete(attempts))  # as `gc --attempts` may leave it
    assert _costs(database, old.campaign.id).basis["caption"].startswith("assumed: ")


def test_failures_and_another_canvas_are_no_measure(database: Database) -> None:
    first = harness_of(database, 2, name="first")
    first.run_all()
    with database.engine.begin() as connection:
        captions = select(jobs.c.id).where(jobs.c.stage == str(Stage.CAPTION))
        failed = update(attempts).where(attempts.c.job_id.in_(captions))
        connection.execute(failed.values(outcome=str(AttemptOutcome.FAILED)))
    second = harness_of(database, name="second", picture={"size": 128})

    basis = _costs(database, second.campaign.id).basis

    assert basis["caption"].startswith("assumed: ")
    assert basis["generate"].startswith("assumed: "), "a repaint of 128 px takes longer than one of 64"
    assert basis["recaption"].startswith("measured in other campaigns")


def test_levels_count_by_their_share_of_what_is_planned(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.run_all()
    _take(database, harness.campaign.id)
    with database.engine.begin() as connection:
        radical = select(jobs.c.id).where(jobs.c.batch_key.like("%generate/radical"))
        connection.execute(update(attempts).where(attempts.c.job_id.in_(radical)).values(seconds=90.0))
        connection.execute(update(batch_keys).where(batch_keys.c.batch_key.like("%generate/radical")).values(planned_jobs=1))
        connection.execute(update(batch_keys).where(batch_keys.c.batch_key.like("%generate/moderate")).values(planned_jobs=3))

    expected: Any = 2 * CAPTION_SECONDS + 8 * OTHER_SECONDS + 4 * (0.75 * OTHER_SECONDS + 0.25 * 90.0)
    assert _costs(database).spent.gpu_hours == pytest.approx(expected / 3600, abs=1e-4)
