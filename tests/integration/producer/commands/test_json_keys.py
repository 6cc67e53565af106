"""The keys of `--json`, which scripts read: none may be renamed or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind, Stage
from db.monitoring.worker_registry import register_worker
from producer.samples import paint_tree
from tests.builders import harness_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.producer.commands.conftest import Operator


def test_keys_of_ingest_json(sqlite_operator: Operator, tmp_path: Path) -> None:
    paint_tree(tmp_path / "tree", count=12, size=32, seed=0)
    with (tmp_path / "tree/classes.csv").open("a") as file:
        file.write("../outside.jpg\n")
    report = sqlite_operator.json_of("ingest", str(tmp_path / "tree"))
    assert list(report) == [
        *("catalogue", "reader", "rows", "files", "artworks", "second_copies", "names_repaired", "works_with_repaired_names"),
        *("uncertain_artists", "complete", "incomplete", "unreadable", "missing_files", "refused", "unexplained", "refilled"),
        *("joined_by_content", "same_name", "similar_names", "filled", "changes", "details", "charts"),
    ]
    assert list(report["changes"]) == ["new", "changed", "arrived", "new_paths", "readied"]
    details = report["details"]
    assert list(details) == [
        *("columns", "styles", "incomplete_reasons", "incomplete", "uncertain_artists", "unreadable", "refused", "missing_files"),
        *("lists_read", "repairs", "skipped", "rows", "files", "unexplained", "sizes", "refused_reasons", "joined_by_content", "same_name"),
        *("similar_names", "filled", "replaced", "hints", "image_root"),
    ]
    assert set(details["columns"]) >= {"file", "artist", "title", "style"}
    assert all(list(column) == ["of", "missing", "repaired", "left"] for column in details["columns"].values())
    assert list(details["incomplete_reasons"]) == ["no artist"]
    assert list(details["incomplete"][0]) == ["artwork", "reason"]
    assert list(details["unreadable"][0]) == ["artwork", "path", "reason"]
    assert list(details["refused"][0]) == ["path", "reason", "row"]
    assert list(details["rows"]) == ["matched", "missing_file", "duplicate", "refused"]
    assert list(details["files"]) == ["first_copy", "second_copy", "other_picture", "repeated", "refused"]
    assert list(details["sizes"]) == ["measured", "pixels"]
    assert sqlite_operator.json_of("ingest --dry-run", str(tmp_path / "tree")).keys() == report.keys()


def test_keys_of_enqueue_json(sqlite_operator: Operator, tmp_path: Path) -> None:
    paint_tree(tmp_path / "tree", count=12, size=32, seed=0)
    sqlite_operator.output_of("ingest", str(tmp_path / "tree"))
    planned = sqlite_operator.json_of("enqueue --dry-run")
    assert set(planned) == {
        *("campaign", "state", "artworks", "variations", "jobs", "left_out", "without_picture", "forecast", "dry_run"),
    }
    assert set(planned["left_out"]) == {"no artist", "unreadable"}
    assert set(planned["forecast"]) == {
        *("disk_bytes", "disk_basis", "device_seconds", "unmeasured", "gpu_hours", "gpu_basis", "money", "currency"),
    }


def test_keys_of_status_json(sqlite_operator: Operator) -> None:
    harness_of(sqlite_operator.database, 1)
    register_worker(
        sqlite_operator.database, worker_id="cpu0@here", host="here", pid=7, device="cpu", stages=[Stage.PROMPT], threads=1, versions={}
    )
    status = sqlite_operator.json_of("status")
    assert set(status) == {"campaigns", "jobs", "images", "workers", "rates", "eta_seconds", "stuck", "hosts", "costs"}
    assert set(status["costs"]) == {"spent", "left", "currency", "basis", "disk_basis"}
    assert set(status["costs"]["spent"]) == set(status["costs"]["left"]) == {"gpu_hours", "disk_bytes", "money"}
    (campaign,) = status["campaigns"].values()
    assert set(campaign) == {"state", "jobs"}
    assert list(status["jobs"]) == ["caption", "prompt", "generate", "recaption"]
    assert set(status["workers"][0]) == {
        *("id", "host", "pid", "device", "stages", "threads", "versions", "silent_for", "batches", "trouble"),
        *("name", "up_for", "clock_offset", "rates", "under_way"),
    }
    assert set(status["hosts"][0]) == {"host", "state", "workers", "rates", "silent_for", "drained_for", "clock_offset"}


def test_keys_of_drain_json(sqlite_operator: Operator) -> None:
    register_worker(
        sqlite_operator.database, worker_id="cpu0@here", host="here", pid=7, device="cpu", stages=[Stage.PROMPT], threads=1, versions={}
    )
    assert sqlite_operator.json_of("drain here") == {"host": "here", "drained": True, "workers": 1}


def test_keys_of_failures_and_requeue_json(sqlite_operator: Operator) -> None:
    harness = harness_of(sqlite_operator.database, 1)
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT, "truncated")
    (failure,) = sqlite_operator.json_of("failures")
    assert set(failure) == {"job", "campaign", "stage", "kind", "error", "attempts", "artwork", "artwork_id"}
    assert set(sqlite_operator.json_of("requeue --all-failed")) == {"jobs", "cancelled", "imported", "dry_run"}


def test_keys_of_pause_resume_cancel_and_gc_json(sqlite_operator: Operator) -> None:
    harness_of(sqlite_operator.database, 1)
    assert set(sqlite_operator.json_of("pause")) == set(sqlite_operator.json_of("resume")) == {"campaign", "stage", "paused"}
    assert set(sqlite_operator.json_of("cancel --yes")) == {"campaign", "stage", "jobs", "state"}
    assert set(sqlite_operator.json_of("gc --dry-run")) == {
        *("blobs", "byte_size", "kept", "leftovers", "grace_seconds", "work_under_way", "attempts", "dry_run"),
    }


def test_keys_of_samples_json(sqlite_operator: Operator, tmp_path: Path) -> None:
    painted = sqlite_operator.json_of("samples --count 12 --size 32", str(tmp_path / "tree"))
    assert set(painted) == {"folder", "artworks", "gaps"}
    assert set(painted["gaps"]) == {"no artist", "broken file", "second copy", "broken name"}
