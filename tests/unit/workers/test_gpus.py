from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workers.errors import NoSuchDevice
from workers.gpus import CPU, ConfiguredGpus, chosen_devices, configured_gpus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put an `nvidia-smi` with this shell script alone on the PATH; before, there is none."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def write(script: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return write


def given(listed: str) -> ConfiguredGpus:
    return ConfiguredGpus(variable="CUDA_VISIBLE_DEVICES", listed=listed)


def names(choice: str, listed: str | None = None) -> list[tuple[str, str, str]]:
    configured = None if listed is None else given(listed)
    return [(device.name, device.visible, device.torch_device) for device in chosen_devices(choice, configured=configured)]


CPU_ALONE = [("cpu", "", "cpu")]
TWO = [("gpu0", "0", "cuda"), ("gpu1", "1", "cuda")]


def test_a_configured_list_needs_no_nvidia_smi(smi: Callable[[str], None]) -> None:
    smi("echo 7")

    assert names("all", "0, 1,") == TWO
    assert names("", "0,1") == TWO
    assert names("1", "0,1") == TWO[1:]


def test_none_is_the_cpu_and_hides_every_gpu() -> None:
    assert names("none", "0,1") == CPU_ALONE
    assert chosen_devices("none") == [CPU]


def test_gpus_are_those_that_nvidia_smi_lists(smi: Callable[[str], None]) -> None:
    smi('[ "$*" = "--query-gpu=index --format=csv,noheader" ] && printf "0\\n1\\n"')

    assert names("all") == TWO
    assert names("") == TWO
    assert names("1, 0") == TWO[::-1]


def test_without_nvidia_smi_the_default_is_the_cpu_and_all_is_an_error(smi: Callable[[str], None]) -> None:
    assert names("") == CPU_ALONE
    with pytest.raises(NoSuchDevice, match="no NVIDIA GPU was found on this host: use `--gpus none`"):
        chosen_devices("all")


@pytest.mark.parametrize(
    "script",
    [
        "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver' >&2; exit 9",
        "echo 0; exit 15",
        "echo 'No devices were found'",
        "",
    ],
)
def test_an_nvidia_smi_that_fails_or_finds_nothing_means_no_gpu(smi: Callable[[str], None], script: str) -> None:
    smi(script)

    assert names("") == CPU_ALONE


def test_an_nvidia_smi_that_cannot_be_run_means_no_gpu(smi: Callable[[str], None], tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_bytes(b"\x7fELF rubbish")
    program.chmod(0o755)

    assert names("") == CPU_ALONE


@pytest.mark.parametrize("choice", ["2", "0,2", "gpu0", "-1", "0 1"])
def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(choice: str) -> None:
    with pytest.raises(NoSuchDevice, match=r"names GPUs that this host does not have \(it has 0, 1\)"):
        chosen_devices(choice, configured=given("0,1"))


def test_an_empty_list_is_refused(smi: Callable[[str], None]) -> None:
    with pytest.raises(NoSuchDevice, match=r"it has none\): name others, or `--gpus none`"):
        chosen_devices(" , ")


def test_a_gpu_named_twice_gets_one_process() -> None:
    assert names("1,0,1", "0,1") == TWO[::-1]


@pytest.mark.parametrize("forbidding", ["", " ", "-1", "NoDevFiles", "-1,0", ",0"])
def test_a_list_without_a_device_forbids_every_gpu_of_the_host(smi: Callable[[str], None], forbidding: str) -> None:
    smi("echo 0")

    assert names("", forbidding) == CPU_ALONE
    assert names("none", forbidding) == CPU_ALONE
    for choice in ("all", "0"):
        with pytest.raises(NoSuchDevice, match=f"CUDA_VISIBLE_DEVICES={forbidding!r} forbids every GPU"):
            names(choice, forbidding)


@pytest.mark.parametrize(
    ("listed", "visible"), [("1,-1,0", ["1"]), ("0,x,1", ["0"]), ("GPU-8a5f,MIG-1/2/3,nonsense", ["GPU-8a5f", "MIG-1/2/3"])]
)
def test_a_list_ends_before_its_first_entry_that_is_no_device_as_in_cuda(listed: str, visible: list[str]) -> None:
    assert given(listed).names == visible


def test_a_gpu_listed_twice_is_one() -> None:
    assert given("1,0,1").names == ["1", "0"]


def test_paragone_gpus_goes_before_what_a_scheduler_gave_and_an_absent_variable_is_not_an_empty_one() -> None:
    assert configured_gpus("0,1", {"CUDA_VISIBLE_DEVICES": ""}) == ConfiguredGpus(variable="PARAGONE_GPUS", listed="0,1")
    assert configured_gpus("", {"CUDA_VISIBLE_DEVICES": ""}) == given("")
    assert configured_gpus("", {}) is None
