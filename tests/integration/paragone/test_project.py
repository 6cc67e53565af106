from __future__ import annotations

import dataclasses
import json
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import paragone
from db.runtime import Runtime

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.paragone.conftest import Worked

pytestmark = pytest.mark.slow(reason="runs a campaign")


def _printed(project: paragone.Project, *line: object) -> Any:
    """What a command prints with `--json`."""
    name, *arguments = [str(part) for part in line]
    (point,) = entry_points(group="paragone.commands", name=name)
    runtime = Runtime(project.settings)
    result = CliRunner().invoke(point.load(), [*arguments, "--json"], obj=runtime, catch_exceptions=False)
    runtime.database.dispose()
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _plain(value: Any) -> Any:
    """The same as JSON has it."""
    return json.loads(json.dumps(value, default=lambda inner: dataclasses.asdict(inner) if dataclasses.is_dataclass(inner) else str(inner)))  # type: ignore[arg-type]


def test_status_and_failures_are_what_the_commands_print(worked: Worked) -> None:
    project = worked.project
    status = project.status()
    assert status.jobs["caption"] == {"done": 6}
    assert 0 < status.jobs["generate"]["failed"] < 6, "the fake repainter refused some"
    told = _printed(project, "status")
    assert {**_plain(status), "rates": {}} == {**told, "rates": {}}, "only the pace moves on"
    assert told["rates"].keys() == status.rates.keys()
    failures = project.failures(stage="generate", kind="input")
    assert len(failures) == status.jobs["generate"]["failed"]
    assert _plain(failures) == _printed(project, "failures", "--stage", "generate", "--kind", "input")
    assert project.failures(kind="oom") == []


def test_results_are_frozen(worked: Worked) -> None:
    project = worked.project
    results: list[Any] = [worked.planned, project.status(), *project.failures(), *project.pairs(), *project.originals()]
    for result in results:
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.jobs = 1


def test_ingest_and_enqueue_are_what_the_commands_print(worked: Worked, tmp_path: Path) -> None:
    catalogue, plan = worked.samples / "classes.csv", tmp_path / "plan.toml"
    plan.write_text('name = "tiny"\nrecaption = false\n[picture]\nsize = 32\n')
    with paragone.open(tmp_path / "one", broker_url="", database_url="", store_url="") as one, paragone.open(tmp_path / "two") as two:
        for project, dry_run in ((one, True), (one, False), (two, True), (two, False)):
            report = project.ingest(catalogue, link=True, dry_run=dry_run)
            assert report.artworks == 6
            told = _printed(two if project is one else one, "ingest", catalogue, "--link", "--dry-run")
            assert {**_plain(report), "charts": 0, "changes": 0} == {**told, "charts": 0, "changes": 0}
        for dry_run in (True, False):
            planned = one.enqueue(config=plan, levels=["radical"], limit=4, dry_run=dry_run)
            options = ("--config", plan, "--level", "radical", "--limit", 4, *["--dry-run"][: int(dry_run)])
            assert (planned.campaign, planned.artworks, planned.jobs, planned.dry_run) == ("tiny", 4, 12, dry_run)
            assert _plain(planned) == _printed(two, "enqueue", *options)
        again = one.enqueue(config={"name": "tiny", "recaption": False, "picture": {"size": 32}}, levels=["radical"], limit=4)
        assert (again.campaign, again.jobs) == ("tiny", 0), "a mapping is what the file holds"


def test_steering_and_requeueing_are_what_the_commands_print(worked: Worked, tmp_path: Path) -> None:
    with paragone.open(tmp_path / "one") as one, paragone.open(tmp_path / "two") as two:
        for project in (one, two):
            project.ingest(worked.samples)
            project.enqueue("first", limit=2)
        assert _plain(one.pause(stage="caption")) == _printed(two, "pause", "--stage", "caption")
        assert one.status() is not None
        assert _plain(one.resume()) == _printed(two, "resume")
        assert _plain(one.requeue(all_failed=True)) == _printed(two, "requeue", "--all-failed")
        assert _plain(one.cancel("first")) == _printed(two, "cancel", "--campaign", "first")
        assert one.status().jobs == two.status().jobs
        assert one.campaigns()[0].state == "cancelled"
    failed = len(worked.project.failures())
    assert worked.project.requeue(stage="generate", kind="input", older_than="0s", dry_run=True).jobs == failed
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"campaign": "fakes"}, "say which jobs"),
        ({"stage": "dream"}, "the stages are caption, prompt"),
        ({"kind": "bad luck"}, "the kinds are input"),
        ({"older_than": "long"}, "write 30s"),
    ]
    for options, told in wrong:
        with pytest.raises(paragone.ParagoneError, match=told):
            worked.project.requeue(**options)


def test_pairs_hold_what_led_to_them_and_read_their_images_when_asked(worked: Worked) -> None:
    pairs = list(worked.project.pairs())
    status = worked.project.status()
    by_level = [list(worked.project.pairs("fakes", level)) for level in ("moderate", "radical")]
    assert len(pairs) == status.images == sum(map(len, by_level))
    assert len(by_level[0]) > len(by_level[1]) > 0
    for pair in pairs:
        original, repaint = pair.original, pair.repaint
        assert original.artwork_id == repaint.artwork_id
        assert repaint.caption is not None
        assert repaint.caption in repaint.prompt
        assert repaint.recaption
        assert repaint.provenance["seed"] == repaint.seed
        assert repaint.provenance["level"] == repaint.level
        assert (original.image().mode, original.image().size) == ("RGB", (original.width, original.height))
        assert repaint.image().size == (repaint.width, repaint.height)
        assert original.image().tobytes() != repaint.image().tobytes()
    assert {original.key for original in worked.project.originals()} == {pair.original.key for pair in pairs}
    assert len(list(worked.project.originals("fakes"))) == 6


def test_a_missing_campaign_or_artwork_is_one_clear_line(worked: Worked, tmp_path: Path) -> None:
    with paragone.open(tmp_path / "empty") as empty:
        assert list(empty.originals()) == []
        assert empty.status().campaigns == {}
        with pytest.raises(paragone.ParagoneError, match="there is no campaign yet"):
            empty.pairs()
        with pytest.raises(paragone.ParagoneError, match="no artwork is registered"):
            empty.enqueue()
    with pytest.raises(paragone.ParagoneError, match="no campaign 'unheard-of': there are fakes"):
        worked.project.status("unheard-of")


def test_workers_that_cannot_begin_are_an_error_with_their_reason(worked: Worked) -> None:
    with pytest.raises(paragone.WorkFailed, match=r"exit code 1: --gpus 7 names GPUs that this host does not have"):
        worked.project.work(gpus="7")


def test_the_environment_decides_what_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_DATA_DIR", str(tmp_path / "configured"))
    monkeypatch.setenv("PARAGONE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/art")
    assert paragone.open().settings.data_dir == tmp_path / "configured"
    assert "secret" not in repr(paragone.open().settings)
    with pytest.raises(paragone.ParagoneError, match="PARAGONE_DATABASE_URL"):
        paragone.open().status()
    with paragone.open(tmp_path / "named", database_url="") as project:
        assert (project.settings.data_dir, project.status().campaigns) == (tmp_path / "named", {})


def test_the_data_set_goes_out_and_comes_in_as_by_the_commands(worked: Worked, tmp_path: Path) -> None:
    project = worked.project
    result = project.export(tmp_path / "out", "csv", split="80/20", levels=["moderate"], license="cc0-1.0")
    told = _printed(
        project, "export", tmp_path / "told", "--format", "csv", "--split", "80/20", "--level", "moderate", "--license", "cc0-1.0"
    )
    assert isinstance(result, paragone.ExportResult)
    assert {**_plain(result), "folder": ""} == {**told, "folder": ""}
    assert result.rows == 6

    results = tmp_path / "captions.csv"
    results.write_text("file_name,description\n" + "".join(f"{one.key},a picture\n" for one in project.originals()))
    columns = {"caption": "description"}
    report = project.import_results(results, campaign="elsewhere", columns=columns, models={"caption": "a/captioner"}, dry_run=True)
    assert isinstance(report, paragone.ImportReport)
    assert report.rows == 6
    for refuse in (
        lambda: project.export(tmp_path / "no", originals="none"),
        lambda: project.export(tmp_path / "no", split="80/30"),
        lambda: project.import_results(results, canvas="square"),
    ):
        with pytest.raises(paragone.ParagoneError, match=r"cannot be|is no split"):
            refuse()
