"""compose.yaml, the Dockerfile and the pins agree with the code. No container runs here."""

from __future__ import annotations

import re
from typing import Any

import click
import compose_spec
import pytest
import yaml
from compose_spec.models import ComposeSpecification

from db.settings import Settings
from producer.cli import paragone
from tests.unit.docs.pages import ROOT
from workers.supervision.supervisor import KILL_MARGIN

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _seconds(written: str) -> float:
    return float(compose_spec.parse_duration(written))


def test_compose_follows_the_specification(compose: dict[str, Any]) -> None:
    plain = {key: value for key, value in compose.items() if not key.startswith("x-")}
    ComposeSpecification.model_validate(plain)


def test_a_service_runs_a_command_that_paragone_takes(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if "build" in service}
    assert ours.keys() == {"init", "worker", "worker-cpu", "flower", "producer"}
    for service in ours.values():
        name, *words = service["command"]
        command = paragone.get_command(click.Context(paragone), name)
        assert command is not None, name
        command.make_context(name, list(words), resilient_parsing=False)


def test_a_service_sets_only_variables_that_are_settings(compose: dict[str, Any]) -> None:
    known = {f"PARAGONE_{name.upper()}" for name in Settings.model_fields}
    for service in compose["services"].values():
        assert {name for name in service["environment"] if name.startswith("PARAGONE_")} <= known if "build" in service else True


def test_a_container_is_not_killed_before_its_worker_has_had_its_grace(compose: dict[str, Any]) -> None:
    for name in ("worker", "worker-cpu"):
        service = compose["services"][name]
        grace = float(service["environment"]["PARAGONE_GRACE_SECONDS"])
        assert _seconds(service["stop_grace_period"]) > grace + KILL_MARGIN


def test_workers_and_flower_wait_for_the_migration(compose: dict[str, Any]) -> None:
    for name in ("worker", "worker-cpu", "flower", "producer"):
        assert compose["services"][name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}


def test_a_build_target_is_a_stage_of_the_dockerfile(compose: dict[str, Any]) -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    assert {service["build"]["target"] for service in compose["services"].values() if "build" in service} <= stages


def test_flower_is_reached_from_this_host_alone_and_has_no_default_password(compose: dict[str, Any]) -> None:
    flower = compose["services"]["flower"]
    assert all(port.startswith("127.0.0.1:") for port in flower["ports"])
    assert flower["environment"]["PARAGONE_FLOWER_PASSWORD"].startswith("${PARAGONE_FLOWER_PASSWORD:?")


def test_the_example_environment_has_every_required_variable_and_no_secret() -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    required = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    assert example == dict.fromkeys(required, "")


def test_the_image_does_not_run_as_root_and_copies_what_there_is() -> None:
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    copied = [name for names in re.findall(r"^COPY ((?!--from)\S.*) \S+$", DOCKERFILE, re.MULTILINE) for name in names.split()]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name


def test_the_pins_are_names_and_versions_alone_and_agree_on_torch() -> None:
    lines = [line for line in (ROOT / "constraints" / "pinned.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!]*", line) for line in lines)
    cpu = re.findall(r"^torch==.*$", (ROOT / "constraints" / "cpu.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert [line for line in lines if line.startswith("torch==")] == cpu


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_a_file_for_the_forge_can_be_read(path: Any) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))
