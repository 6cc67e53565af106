from __future__ import annotations

import os
from pathlib import Path

import pytest

import paragone
from db.errors import BadConfiguration
from db.secret_files import LIBRARY_SECRETS, LONGEST_SECRET, may_be_a_file
from db.settings import Settings
from paragone.work import _environment
from producer.environment import read_settings
from workers.broker import resolve_broker

AWKWARD = "p@ss/w:o#r?d%40 ü"
ESCAPED = "p%40ss%2Fw%3Ao%23r%3Fd%2540%20%C3%BC"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PARAGONE_") or name.removesuffix("_FILE") in LIBRARY_SECRETS]:
        monkeypatch.delenv(name)


def _file(folder: Path, content: str | bytes, name: str = "secret") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_every_secret_setting_can_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name, field in Settings.model_fields.items() if may_be_a_file(name, field)]
    assert {"database_url", "broker_url", "store_url", "flower_password"} <= set(names)
    for name in names:
        monkeypatch.setenv(f"PARAGONE_{name.upper()}_FILE", _file(tmp_path, f"redis://{name}", name))

    settings = Settings()

    for name in names:
        value = getattr(settings, name)
        assert (value if isinstance(value, str) else value.get_secret_value()) == f"redis://{name}"


@pytest.mark.parametrize("written", ["secret\n", "secret\r\n", "secret", b"\xef\xbb\xbfsecret\n"])
def test_a_last_line_break_is_no_part_of_a_secret(written: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_FLOWER_PASSWORD_FILE", _file(tmp_path, written))
    assert Settings().flower_password.get_secret_value() == "secret"


def test_blanks_within_a_secret_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_FLOWER_PASSWORD_FILE", _file(tmp_path, " two words \n"))
    assert Settings().flower_password.get_secret_value() == " two words "


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("", "is empty: write the secret into it"),
        ("\n", "is empty"),
        ("hunter2\nhunter3\n", "holds more than one line"),
        ("hunter2" * LONGEST_SECRET, "holds more than one line"),
        (b"hunter2\xff", "is not UTF-8 text"),
        (None, "cannot be read (No such file or directory)"),
        ("folder", "is a folder"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line_without_its_contents(
    content: str | bytes | None, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "missing"
    if content == "folder":
        path.mkdir()
    monkeypatch.setenv("PARAGONE_BROKER_URL_FILE", str(path) if content in {None, "folder"} else _file(tmp_path, content or ""))

    with pytest.raises(BadConfiguration) as refusal:
        read_settings()

    told = str(refusal.value)
    assert "PARAGONE_BROKER_URL_FILE" in told
    assert cause in told
    assert "hunter" not in told
    assert "\n" not in told


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told_with_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _file(tmp_path, "secret")
    Path(path).chmod(0)
    monkeypatch.setenv("PARAGONE_DATABASE_URL_FILE", path)
    with pytest.raises(BadConfiguration, match=f"may not be read by user {os.getuid()}: change its owner or mode"):
        Settings()


def test_a_secret_that_is_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_BROKER_URL", "redis://:hunter2@one")
    monkeypatch.setenv("PARAGONE_BROKER_URL_FILE", _file(tmp_path, "redis://two"))
    with pytest.raises(BadConfiguration, match="PARAGONE_BROKER_URL and PARAGONE_BROKER_URL_FILE are both set: unset one"):
        Settings()


def test_what_is_set_and_empty_counts_as_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As compose.yaml passes variables on that nobody set
    monkeypatch.setenv("PARAGONE_BROKER_URL", "")
    monkeypatch.setenv("PARAGONE_BROKER_URL_FILE", _file(tmp_path, "redis://two"))
    monkeypatch.setenv("PARAGONE_DATABASE_URL_FILE", "")
    monkeypatch.setenv("PARAGONE_DATABASE_PASSWORD", "")
    settings = Settings()
    assert settings.broker_url.get_secret_value() == "redis://two"
    assert settings.database_url.get_secret_value() == ""


@pytest.mark.parametrize(
    ("variable", "url", "merged"),
    [
        ("DATABASE", "postgresql://paragone@db.example:5433/paragone", f"postgresql://paragone:{ESCAPED}@db.example:5433/paragone"),
        ("DATABASE", "postgresql://p@[::1]/x?sslmode=verify-full", f"postgresql://p:{ESCAPED}@[::1]/x?sslmode=verify-full"),
        ("BROKER", "redis://valkey:6379/0", f"redis://:{ESCAPED}@valkey:6379/0"),
        ("BROKER", "rediss://one:6379/0", f"rediss://:{ESCAPED}@one:6379/0"),
        ("BROKER", "redis://me@valkey", f"redis://me:{ESCAPED}@valkey"),
        ("BROKER", "sentinel://a:1;sentinel://b:2", f"sentinel://:{ESCAPED}@a:1;sentinel://:{ESCAPED}@b:2"),
        ("BROKER", "amqp://guest@rabbit:5672//", f"amqp://guest:{ESCAPED}@rabbit:5672//"),
    ],
)
def test_a_password_beside_its_url_is_escaped_into_it(variable: str, url: str, merged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PARAGONE_{variable}_URL", url)
    monkeypatch.setenv(f"PARAGONE_{variable}_PASSWORD", AWKWARD)

    settings = Settings()

    assert getattr(settings, f"{variable.lower()}_url").get_secret_value() == merged
    assert AWKWARD not in repr(settings)
    assert ESCAPED not in repr(settings)
    if variable == "DATABASE":
        assert settings.sqlalchemy_url.password == AWKWARD
    else:
        assert resolve_broker(settings).url.partition("?")[0] == merged  # what TLS adds stands behind it


@pytest.mark.parametrize(
    ("variable", "url", "cause"),
    [
        ("DATABASE", "", "PARAGONE_DATABASE_PASSWORD is set, but PARAGONE_DATABASE_URL is not: set PARAGONE_DATABASE_URL too"),
        ("DATABASE", "sqlite:///x.sqlite", "not the URL of a server that asks for one: unset PARAGONE_DATABASE_PASSWORD"),
        ("DATABASE", "postgresql://me:swordfish@db/x", "both hold a password: remove it from the URL"),
        ("DATABASE", "postgresql://db/x", "names no user whose password PARAGONE_DATABASE_PASSWORD is"),
        ("BROKER", "amqp://rabbit//", "names no user"),
        ("BROKER", "valkey", "not the URL of a server"),
        ("BROKER", "redis://:swordfish@a;redis://b", "both hold a password"),
    ],
)
def test_a_password_without_a_url_that_takes_it_is_refused(variable: str, url: str, cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PARAGONE_{variable}_URL", url)
    monkeypatch.setenv(f"PARAGONE_{variable}_PASSWORD", "hunter2")
    with pytest.raises(BadConfiguration, match=cause) as refusal:
        Settings()
    assert "hunter2" not in str(refusal.value)
    assert "swordfish" not in str(refusal.value)


def test_a_url_that_the_program_was_given_takes_nothing_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_DATABASE_URL_FILE", str(tmp_path / "missing"))
    monkeypatch.setenv("PARAGONE_DATABASE_PASSWORD", "hunter2")
    with paragone.open(tmp_path, database_url="") as project:
        assert project.settings.database_url.get_secret_value() == ""


def test_workers_of_a_notebook_are_given_the_finished_urls_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given URLs from files and passwords beside them
    monkeypatch.setenv("PARAGONE_DATABASE_URL_FILE", _file(tmp_path, "postgresql://me@db/x", "url"))
    monkeypatch.setenv("PARAGONE_DATABASE_PASSWORD_FILE", _file(tmp_path, AWKWARD, "password"))
    monkeypatch.setenv("PARAGONE_BROKER_URL", "redis://valkey")
    monkeypatch.setenv("PARAGONE_BROKER_PASSWORD", AWKWARD)
    monkeypatch.setenv("PARAGONE_DATA_DIR", str(tmp_path))
    before = Settings()

    # When a child process reads its settings
    child = _environment(before)
    for name in [name for name in os.environ if name.startswith("PARAGONE_")]:
        monkeypatch.delenv(name)
    for name, value in child.items():
        monkeypatch.setenv(name, value)

    # Then they are the same
    assert Settings() == before


def test_secrets_of_libraries_are_put_where_libraries_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBRARY_SECRETS:
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.setenv(f"{name}_FILE", _file(tmp_path, f"of {name}\n", name))

    read_settings()
    read_settings()

    assert [os.environ[name] for name in LIBRARY_SECRETS] == [f"of {name}" for name in LIBRARY_SECRETS]
    assert not [name for name in os.environ if name.removesuffix("_FILE") in LIBRARY_SECRETS and name.endswith("_FILE")]


def test_a_library_s_secret_that_is_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hunter2")
    monkeypatch.setenv("HF_TOKEN_FILE", _file(tmp_path, "hunter3"))
    with pytest.raises(BadConfiguration, match="HF_TOKEN and HF_TOKEN_FILE are both set"):
        read_settings()
