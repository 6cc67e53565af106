"""The pages that are written from the code at each build hold what the code has."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from db.secret_files import PASSWORDS
from db.settings import Settings
from db.tables import metadata
from producer.cli import paragone
from tests.unit.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

pytest.importorskip("mkdocs")


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    sys.path.insert(0, str(ROOT / "docs" / "hooks"))
    try:
        import reference as hook  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    assert isinstance(hook.__file__, str)
    return hook  # type: ignore[no-any-return]


def test_the_settings_page_has_every_setting_with_its_meaning(reference: ModuleType) -> None:
    rows = dict(re.findall(r"^\| `(PARAGONE_\w+)` \|.*\| (.*) \|$", reference.settings_page(), re.MULTILINE))
    assert rows.keys() == {f"PARAGONE_{name.upper()}" for name in Settings.model_fields} | set(PASSWORDS.values())
    assert all(rows.values()), [name for name, meaning in rows.items() if not meaning]


def test_the_settings_page_names_what_can_be_a_file(reference: ModuleType) -> None:
    section = reference.settings_page().partition("## Secrets as files")[2]
    for name in ("PARAGONE_DATABASE_URL", "PARAGONE_STORE_URL", "PARAGONE_FLOWER_PASSWORD", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        assert f"`{name}`" in section
    assert "`PARAGONE_LEASE_SECONDS`" not in section


def test_the_settings_page_shows_defaults_and_no_secret(reference: ModuleType) -> None:
    page = reference.settings_page()
    assert "| `PARAGONE_LEASE_SECONDS` | `float` | `15.0` |" in page
    assert "| `PARAGONE_DATABASE_URL` | `SecretStr` |  |" in page


def test_the_tables_page_has_every_column(reference: ModuleType) -> None:
    page = reference.tables_page()
    for table in metadata.tables.values():
        section = page.split(f"## {table.name}\n")[1].split("\n## ")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(table.columns.keys())


def _documented(page: str, command: str) -> set[str]:
    section = page.split(f"## {command}\n")[1].split("\n## ", maxsplit=1)[0].split("\n### ", maxsplit=1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the commands that need neither broker nor torch print with `--json`, on a small catalogue."""
    folder: Path = tmp_path_factory.mktemp("printed")
    environment = {f"PARAGONE_{name.upper()}": None for name in Settings.model_fields} | {"PARAGONE_DATA_DIR": str(folder / "data")}

    def run(*words: str) -> Any:
        result = CliRunner().invoke(paragone, [*words, "--json"], env=environment, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    samples = run("samples", str(folder / "samples"), "--count", "2", "--size", "32")
    return {
        "samples": samples,
        "ingest": run("ingest", str(folder / "samples")),
        "enqueue": run("enqueue"),
        "status": run("status"),
        "requeue": run("requeue", "--all-failed"),
        "pause, resume": run("pause"),
        "cancel": run("cancel", "--yes"),
        "gc": run("gc", "--dry-run"),
        "health, doctor": run("health", "--timeout", "60s"),
        "verify": run("verify", "--sample", "1"),
    }


@pytest.mark.parametrize(
    "command", [*("samples", "ingest", "enqueue", "status", "requeue", "pause, resume", "cancel", "gc", "health, doctor", "verify")]
)
def test_the_json_page_has_the_keys_that_a_command_prints(reference: ModuleType, printed: dict[str, Any], command: str) -> None:
    assert _documented(reference.json_page(), command) == printed[command].keys()


def test_the_json_page_has_every_command_that_takes_json(reference: ModuleType) -> None:
    page = reference.json_page()
    documented = {name for title in re.findall(r"^## (.+)$", page, re.MULTILINE) for name in title.split(", ")}
    context = paragone.make_context("paragone", ["status"], resilient_parsing=True)
    for name in paragone.list_commands(context):
        command = paragone.get_command(context, name)
        assert command is not None
        takes = any("--json" in parameter.opts for parameter in command.params)
        assert takes == (name in documented), name
