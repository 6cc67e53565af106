"""The manifests of deploy/kubernetes: the pieces fit together, and kubectl takes every field."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from producer.cli import paragone
from tests.unit.docs.pages import ROOT, known_variables
from workers.supervision.supervisor import KILL_MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "deploy/kubernetes"
#: What `kubectl set env` reads into its own types.
WORKLOADS = {"Deployment", "Job"}


def _documents() -> list[dict[str, Any]]:
    return [document for path in sorted(FOLDER.glob("*.yaml")) for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


DOCUMENTS = _documents()
BY_NAME = {(one["kind"], one.get("metadata", {}).get("name")): one for one in DOCUMENTS}
PODS = {one["metadata"]["name"]: one["spec"]["template"] for one in DOCUMENTS if "template" in one.get("spec", {})}


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, str(value)
        return
    for key, one in items:
        yield from _leaves(one, (*path, key))


def test_the_kustomization_lists_every_manifest_but_the_example_of_a_secret() -> None:
    listed = BY_NAME["Kustomization", None]["resources"]
    assert sorted(listed) == sorted(
        path.name for path in FOLDER.glob("*.yaml") if path.name not in {"kustomization.yaml", "secret.example.yaml"}
    )


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
def test_kustomize_builds_it_and_puts_the_images_in() -> None:
    done = subprocess.run(["kubectl", "kustomize", FOLDER], capture_output=True, text=True, check=True, timeout=60)
    built = list(yaml.safe_load_all(done.stdout))
    assert {one["metadata"]["namespace"] for one in built} == {"paragone"}
    images = [one["spec"]["template"]["spec"]["containers"][0]["image"] for one in built if "template" in one.get("spec", {})]
    assert len(images) == len(PODS)
    assert all(image.startswith("registry.example/paragone-") for image in images)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one["kind"] in WORKLOADS], ids=lambda one: str(one["metadata"]["name"]))
def test_kubectl_reads_every_field_into_its_own_types(document: dict[str, Any]) -> None:
    # A field that is misspelt or at the wrong place is dropped on the way through its types.
    command = ["kubectl", "set", "env", "--local", "--filename=-", "--output=yaml", "READ=yes"]
    done = subprocess.run(command, input=yaml.safe_dump(document), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    read = dict(_leaves(yaml.safe_load(done.stdout)))
    assert {path for path, _ in _leaves(document)} <= read.keys()


def test_a_selector_finds_the_pods_it_means() -> None:
    labels = [template["metadata"]["labels"] for template in PODS.values()]
    for one in DOCUMENTS:
        selector = one.get("spec", {}).get("selector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert [found for found in labels if wanted.items() <= found.items()], one["metadata"]
    scaled = BY_NAME["ScaledObject", "paragone-worker"]["spec"]["scaleTargetRef"]["name"]
    assert ("Deployment", scaled) in BY_NAME


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_a_command_that_paragone_takes_with_settings_that_exist(name: str) -> None:
    (container,) = PODS[name]["spec"]["containers"]
    commands = [container["args"]] + [
        container[probe]["exec"]["command"][1:]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        if "exec" in container.get(probe, {})
    ]
    for word, *words in commands:
        command = paragone.get_command(click.Context(paragone), word)
        assert command is not None, word
        command.make_context(word, [*words], resilient_parsing=False)


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_no_root_s_and_finds_its_secrets_as_files(name: str) -> None:
    spec = PODS[name]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] == 10001, "the Dockerfile's USER"
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    # A service `paragone-flower` would set PARAGONE_FLOWER_PORT=tcp://..., which is no port.
    assert spec["enableServiceLinks"] is False
    config = BY_NAME["ConfigMap", "paragone"]["data"]
    variables = config | {one["name"]: one["value"] for one in container.get("env", [])}
    assert {variable for variable in variables if variable.startswith("PARAGONE_")} <= known_variables()
    (mount,) = [one for one in container["volumeMounts"] if one["name"] == "secrets"]
    secret = BY_NAME["Secret", "paragone"]["stringData"]
    for value in variables.values():
        if value.startswith("/run/secrets"):
            folder, _, key = value.rpartition("/")
            assert folder == mount["mountPath"]
            assert key in secret
    volumes = {volume["name"] for volume in spec["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == volumes


def test_the_example_of_a_secret_holds_none() -> None:
    assert set(BY_NAME["Secret", "paragone"]["stringData"].values()) == {""}


def test_a_worker_has_one_gpu_and_its_grace() -> None:
    spec = PODS["paragone-worker"]["spec"]
    (container,) = spec["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    (grace,) = [one["value"] for one in container["env"] if one["name"] == "PARAGONE_GRACE_SECONDS"]
    assert spec["terminationGracePeriodSeconds"] > float(grace) + KILL_MARGIN
