from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.pictures import paint
from tests.acceptance.recipe import fake_campaign
from tests.acceptance.record import check_whole, states

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)


def test_broken_pictures_fail_with_their_reasons_and_once_mended_the_rest_is_done(installation: Installation, tmp_path: Path) -> None:
    # Given linked pictures of which five broke after they were registered
    pictures = paint(tmp_path / "pictures", 12)
    installation.output_of("ingest", tmp_path / "pictures", "--link")
    installation.output_of("enqueue", "--config", fake_campaign(tmp_path / "plan.toml", levels=2))
    shutil.copytree(tmp_path / "pictures", tmp_path / "whole")
    empty, cut, text, gone, folder = pictures[:5]
    empty.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[:-40])
    text.write_text("<html>404 Not Found</html>")
    gone.unlink()
    folder.unlink()
    folder.mkdir()

    # When everything is worked on
    with installation.working("--until-idle") as fleet:
        assert fleet.ends() == 0, fleet.told

    # Then the captions of these five failed, each with its own reason, and all else is done
    failures = installation.json_of("failures")
    assert {(failure["stage"], failure["kind"], failure["attempts"]) for failure in failures} == {("caption", "input", 1)}
    reasons = {failure["artwork"]: failure["error"].lower() for failure in failures}
    assert len(reasons) == 5
    told = {path.stem: next(reason for key, reason in reasons.items() if path.stem[-3:] in key) for path in pictures[:5]}
    assert len(set(told.values())) == 5, told
    assert "empty" in told[empty.stem]
    assert "truncated" in told[cut.stem]
    assert "gone" in told[gone.stem]
    assert states(installation, "caption") == {"done": 7, "failed": 5}
    assert states(installation, "recaption") == {"done": 14, "waiting": 10}
    assert installation.json_of("status")["stuck"] == {"waiting behind a failed or cancelled job": 30}

    # And when they are mended, taken up and requeued, the rest is done too
    folder.rmdir()
    shutil.copytree(tmp_path / "whole", tmp_path / "pictures", dirs_exist_ok=True)
    assert installation.json_of("ingest", tmp_path / "pictures", "--link")["unreadable"] == 0
    assert installation.json_of("requeue", "--kind", "input")["jobs"] == 5
    with installation.working("--until-idle") as fleet:
        assert fleet.ends() == 0, fleet.told
    check_whole(installation, repaints=24)
    assert installation.json_of("failures") == []


def test_pictures_that_ingest_finds_broken_get_no_jobs_until_they_are_mended(installation: Installation, tmp_path: Path) -> None:
    pictures = paint(tmp_path / "pictures", 4)
    whole = pictures[0].read_bytes()
    pictures[0].write_bytes(whole[:100])
    report = installation.json_of("ingest", tmp_path / "pictures")
    assert (report["artworks"], report["unreadable"], report["unexplained"]) == (4, 1, 0)
    plan = fake_campaign(tmp_path / "plan.toml")
    assert installation.json_of("enqueue", "--config", plan)["jobs"] == 3 * 4

    pictures[0].write_bytes(whole)
    assert installation.json_of("ingest", tmp_path / "pictures")["unreadable"] == 0
    assert installation.json_of("enqueue", "--config", plan)["jobs"] == 4
