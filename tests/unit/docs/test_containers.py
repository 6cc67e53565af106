"""compose.yaml, the Dockerfile and the pins agree with the code. No container runs here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import click
import compose_spec
import pytest
import yaml
from compose_spec.models import ComposeSpecification

from producer.cli import paragone
from tests.services.compose_file import example_environment, image_environment
from tests.unit.docs.pages import ROOT, known_variables
from workers.supervision.supervisor import KILL_MARGIN

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _seconds(written: str) -> float:
    return float(compose_spec.parse_duration(written))


@pytest.mark.parametrize("name", ["compose.yaml", "deploy/compose/shared.yaml", "deploy/compose/metrics.yaml"])
def test_a_compose_file_follows_the_specification(name: str) -> None:
    loaded = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    plain = {key: value for key, value in loaded.items() if not key.startswith("x-")}
    ComposeSpecification.model_validate(plain)


def test_a_service_runs_a_command_that_paragone_takes(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if "build" in service and "entrypoint" not in service}
    assert ours.keys() == {"init", "worker", "worker-cpu", "demo", "flower", "producer", "metrics"}
    for service in ours.values():
        name, *words = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in service["command"]]
        command = paragone.get_command(click.Context(paragone), name)
        assert command is not None, name
        command.make_context(name, words, resilient_parsing=False)


def test_a_health_check_runs_a_command_that_paragone_takes() -> None:
    found = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    program, name, *words = yaml.safe_load(found[1])
    assert program == "paragone"
    command = paragone.get_command(click.Context(paragone), name)
    assert command is not None, name
    command.make_context(name, words, resilient_parsing=False)


def test_a_service_sets_only_variables_that_are_settings(compose: dict[str, Any]) -> None:
    ours = [service for service in compose["services"].values() if "build" in service]
    named = {name for service in ours for name in service["environment"] if name.startswith("PARAGONE_")}
    assert named <= known_variables()


def test_a_container_is_not_killed_before_its_worker_has_had_its_grace(compose: dict[str, Any]) -> None:
    for name in ("worker", "worker-cpu"):
        service = compose["services"][name]
        grace = float(service["environment"]["PARAGONE_GRACE_SECONDS"])
        assert _seconds(service["stop_grace_period"]) > grace + KILL_MARGIN


def test_whatever_needs_the_tables_waits_for_the_migration(compose: dict[str, Any]) -> None:
    for name in ("worker", "worker-cpu", "demo", "flower", "producer", "metrics"):
        assert compose["services"][name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}


def test_what_is_waited_for_can_tell_that_it_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for {other}"
            # A service that no profile starts is waited for by those of its own profiles, or it is said that it may be missing.
            profiles = set(services[other].get("profiles", []))
            assert not profiles or profiles >= set(service.get("profiles", ["none"])) or how.get("required") is False, (
                f"{name} waits for {other}"
            )


def test_a_service_of_servers_keeps_its_data_and_starts_again(compose: dict[str, Any]) -> None:
    for name in ("postgres", "valkey", "s3", "prometheus", "grafana"):
        service = compose["services"][name]
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" in service
        assert {volume.split(":")[0] for volume in service["volumes"]} & compose["volumes"].keys()


def test_a_build_target_is_a_stage_of_the_dockerfile(compose: dict[str, Any]) -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    assert {service["build"]["target"] for service in compose["services"].values() if "build" in service} <= stages


def test_nothing_is_reached_from_another_host_unless_it_is_asked_for(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for port in service.get("ports", []):
            assert port.startswith(("127.0.0.1:", "${LISTEN_ADDRESS:-127.0.0.1}:"))
    for path in (ROOT / "deploy/compose").iterdir():
        opened = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
        assert opened.keys() <= compose["services"].keys()
        for service in opened.values():
            assert all(port.startswith("${LISTEN_ADDRESS:?") for port in service["ports"])


def test_passwords_are_files_and_stand_in_no_variable(compose: dict[str, Any]) -> None:
    secret = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY")
    for name, service in compose["services"].items():
        mounted = set(service.get("secrets", []))
        assert mounted <= compose["secrets"].keys()
        for variable in service.get("environment", {}):
            if secret.search(variable):
                assert variable.endswith(("_FILE", "_PATH")), f"{name}: {variable}"
        written = " ".join(str(one) for one in [*service.get("command", []), *service.get("environment", {}).values()])
        assert set(re.findall(r"/run/secrets/(\w+)", written)) <= mounted, name


def test_the_secrets_are_those_that_the_script_makes(compose: dict[str, Any], tmp_path: Path) -> None:
    subprocess.run([ROOT / "deploy/make-secrets.sh", tmp_path / "secrets"], check=True, capture_output=True)
    assert {Path(secret["file"]).name for secret in compose["secrets"].values()} == {path.name for path in (tmp_path / "secrets").iterdir()}
    assert all(secret["file"].startswith("${SECRETS:-./deploy/secrets}/") for secret in compose["secrets"].values())
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_example_environment_holds_what_compose_reads_and_no_secret() -> None:
    files = [(ROOT / name).read_text(encoding="utf-8") for name in ("compose.yaml", "deploy/compose/shared.yaml")]
    read = {name for text in files for name in re.findall(r"\$\{([A-Z_]+)", text)} | set(
        re.findall(r"^  ([A-Z_]+):$", files[0], re.MULTILINE)
    )
    example = example_environment(uncommented=".*")
    assert example.keys() - {"COMPOSE_PROFILES", "COMPOSE_FILE"} <= read
    assert example_environment() == {"COMPOSE_PROFILES": "gpu"}
    assert not [name for name, value in example.items() if "PASSWORD" in name or ("KEY" in name and not value.startswith("/run/secrets/"))]


def test_the_image_has_a_first_process_that_passes_signals_on_and_keeps_models() -> None:
    assert re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE) == ['["tini", "--", "paragone"]']
    assert re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE) == [image_environment()["HF_HOME"]]


def test_every_stage_stands_on_a_base_that_can_be_pinned() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    known = {"${BASE}"}
    for base, name in stages:
        assert base in known
        known.add(name)
    assert "ARG BASE=" in DOCKERFILE.partition("FROM")[0]
    final = DOCKERFILE.rpartition(" AS base\n")[2]
    assert not re.search(r"\b(gcc|build-essential|pip install)\b", final)


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
