"""Originals that cannot be read: each fails with its own reason, and everything is done once they are repaired."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.campaign_file import fake_campaign
from tests.acceptance.queries import assert_complete, states
from tests.acceptance.sample_images import write_images

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = pytest.mark.timeout(600)


def test_broken_originals_fail_with_their_reasons_and_are_done_once_repaired(installation: Installation, tmp_path: Path) -> None:
    # Given linked originals of which five broke after they were registered
    originals = write_images(tmp_path / "originals", 12)
    installation.output_of("ingest", tmp_path / "originals", "--link")
    installation.output_of("enqueue", "--config", fake_campaign(tmp_path / "campaign.toml", levels=2))
    shutil.copytree(tmp_path / "originals", tmp_path / "intact")
    empty, cut, text, gone, folder = originals[:5]
    empty.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[:-40])
    text.write_text("<html>404 Not Found</html>")
    gone.unlink()
    folder.unlink()
    folder.mkdir()

    # When everything is worked on
    with installation.working("--until-idle") as fleet:
        assert fleet.wait() == 0, fleet.output

    # Then the captions of these five failed, each with its own reason, and all else is done
    failures = installation.json_of("failures")
    assert {(failure["stage"], failure["kind"], failure["attempts"]) for failure in failures} == {("caption", "input", 1)}
    errors = {failure["artwork"]: failure["error"].lower() for failure in failures}
    assert len(errors) == 5
    reasons = {path.stem: next(error for key, error in errors.items() if path.stem[-3:] in key) for path in originals[:5]}
    assert len(set(reasons.values())) == 5, reasons
    assert "empty" in reasons[empty.stem]
    assert "truncated" in reasons[cut.stem]
    assert "gone" in reasons[gone.stem]
    assert states(installation, "caption") == {"done": 7, "failed": 5}
    assert states(installation, "recaption") == {"done": 14, "waiting": 10}
    assert installation.json_of("status")["stuck"] == {"waiting behind a failed or cancelled job": 30}

    # And when they are repaired, registered again and requeued, the rest is done too
    folder.rmdir()
    shutil.copytree(tmp_path / "intact", tmp_path / "originals", dirs_exist_ok=True)
    assert installation.json_of("ingest", tmp_path / "originals", "--link")["unreadable"] == 0
    assert installation.json_of("requeue", "--kind", "input")["jobs"] == 5
    with installation.working("--until-idle") as fleet:
        assert fleet.wait() == 0, fleet.output
    assert_complete(installation, repaints=24)
    assert installation.json_of("failures") == []


def test_originals_that_ingest_finds_broken_get_no_jobs_until_they_are_repaired(installation: Installation, tmp_path: Path) -> None:
    originals = write_images(tmp_path / "originals", 4)
    intact = originals[0].read_bytes()
    originals[0].write_bytes(intact[:100])
    report = installation.json_of("ingest", tmp_path / "originals")
    assert (report["artworks"], report["unreadable"], report["unexplained"]) == (4, 1, 0)
    campaign = fake_campaign(tmp_path / "campaign.toml")
    assert installation.json_of("enqueue", "--config", campaign)["jobs"] == 3 * 4

    originals[0].write_bytes(intact)
    assert installation.json_of("ingest", tmp_path / "originals")["unreadable"] == 0
    assert installation.json_of("enqueue", "--config", campaign)["jobs"] == 4
