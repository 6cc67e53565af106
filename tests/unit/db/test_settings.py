from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from db.engine import connect
from db.engine.schema import migrate
from db.runtime import Runtime
from db.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        ({"lease_seconds": 2}, ("PARAGONE_LEASE_SECONDS (2) must be at least 3 times PARAGONE_HEARTBEAT_SECONDS (5)",)),
        ({"heartbeat_seconds": 6}, ("PARAGONE_LEASE_SECONDS (15)", "PARAGONE_HEARTBEAT_SECONDS (6)")),
        ({"sweep_seconds": 15}, ("PARAGONE_SWEEP_SECONDS (15) must be less than PARAGONE_LEASE_SECONDS (15)",)),
    ],
)
def test_settings_that_do_not_fit_together_are_refused_by_their_names(given: dict[str, float], causes: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**given)  # type: ignore[arg-type]

    assert all(cause in str(refusal.value) for cause in causes)


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name.endswith("_seconds")])
@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "-1"])
def test_no_time_is_endless_or_negative(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PARAGONE_{name.upper()}", value)

    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize(("lease", "heartbeat"), [(15, 5), (4, 0.5), (2.5, 0.5)])
def test_clockworks_that_run_are_taken(lease: float, heartbeat: float) -> None:
    assert Settings(lease_seconds=lease, heartbeat_seconds=heartbeat, sweep_seconds=0.5).lease_seconds == lease


@pytest.mark.parametrize(
    ("written", "cause"), [("", "is empty: name a folder"), ("~nosuchuser/x", "~nosuchuser/x cannot be used"), ("file", "is a file")]
)
def test_a_data_directory_that_cannot_be_one_is_told(written: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARAGONE_DATA_DIR", written)

    with pytest.raises(ValidationError, match=cause):
        Settings()


@pytest.mark.parametrize("sign", "?#%")
def test_data_directories_that_differ_behind_an_odd_sign_have_records_of_their_own(tmp_path: Path, sign: str) -> None:
    for number in (1, 2):
        runtime = Runtime(Settings(data_dir=tmp_path / f"run{sign}4{number}"))
        runtime.database.dispose()

    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.sqlite")) == [
        f"run{sign}41/paragone.sqlite",
        f"run{sign}42/paragone.sqlite",
    ]


def test_the_runtime_gives_the_database_its_limits(sqlite_template: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_timeout_seconds=7)
    migrate(connect(settings.sqlalchemy_url))

    assert Runtime(settings).database._timeout_seconds == 7


def test_a_hosts_name_is_the_one_that_is_given_or_the_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_HOST", " lab-1.example:2 ")
    assert Settings().host_name == "lab-1.example:2"
    monkeypatch.setenv("PARAGONE_HOST", "")
    assert Settings().host_name == socket.gethostname()


@pytest.mark.parametrize("name", ["two words", "a@b", "-lab", "lab\nlab", "x" * 129])
def test_a_name_that_would_confuse_celery_or_a_shell_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="is no name of a host"):
        Settings(host=name)
