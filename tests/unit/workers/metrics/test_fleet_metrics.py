from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from db.settings import Settings
from workers.errors import MetricsPortTaken
from workers.gpus import CPU, Device
from workers.metrics.descriptions import WORKER_METRICS
from workers.metrics.fleet_metrics import FleetMetrics, fleet_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GPU = Device(name="gpu0", visible="0")

#: A worker process that does some batches and then waits for its standard input to close.
LIFE = """
import os, sys
from pathlib import Path
from db.enums import Stage
from workers.metrics.worker_metrics import worker_metrics
from workers.observers import BatchFacts
metrics = worker_metrics(Path(sys.argv[1]), worker=sys.argv[2], gpu=sys.argv[3])
seconds = {"claim": 0.5, "device": 2.0, "model": 1.0}
for _ in range(int(sys.argv[4])):
    metrics.batch_done(BatchFacts(stage=Stage.GENERATE, campaign="autumn", jobs=4, done=3, failed=1, seconds=seconds))
metrics.model_loaded("refiner", 9.0)
metrics.model_loaded("captioner", 1.0)
metrics.model_evicted("captioner")
metrics.out_of_memory(Stage.GENERATE, 4)
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
"""

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Host:
    """A supervisor's metrics, and processes that count into them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.metrics = FleetMetrics(folder)
        self.registry = CollectorRegistry()
        self.registry.register(self.metrics)

    @contextmanager
    def life(self, device: Device, batches: int) -> Iterator[None]:
        """One life of a worker process, killed at the end."""
        command = [sys.executable, "-c", LIFE, str(self.metrics.folder), device.name, device.visible, str(batches)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            self.metrics.note_start(device)
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
            process.kill()
            process.wait()
        self.metrics.note_end(device, process.pid)

    def scrape(self) -> Samples:
        """Every sample as Prometheus gets it."""
        families = text_string_to_metric_families(generate_latest(self.registry).decode())
        return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels."""
        return sum(value for (found, its), value in self.scrape().items() if found == name and labels.items() <= dict(its).items())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "shared")


def test_counts_of_all_processes_are_told_by_worker_and_gpu(host: Host) -> None:
    with host.life(GPU, 3), host.life(CPU, 2):
        gpu = {"worker": "gpu0", "gpu": "0"}
        assert host.value("paragone_worker_jobs_total", **gpu, campaign="autumn", stage="generate", outcome="done") == 9
        assert host.value("paragone_worker_jobs_total", worker="cpu", gpu="none", outcome="failed") == 2
        assert host.value("paragone_worker_batch_jobs_count", **gpu) == 3
        assert host.value("paragone_worker_batch_jobs_bucket", **gpu, le="2.0") == 0
        assert host.value("paragone_worker_batch_jobs_bucket", **gpu, le="4.0") == 3
        assert host.value("paragone_worker_part_seconds_total", **gpu, part="device", stage="generate") == 6.0
        assert host.value("paragone_worker_device_busy_seconds_total", **gpu) == 9.0
        assert host.value("paragone_worker_models_loaded", **gpu) == 1
        assert host.value("paragone_worker_model_evictions_total", **gpu, model="captioner") == 1
        assert host.value("paragone_worker_model_load_seconds_total", **gpu, model="refiner") == 9.0
        assert host.value("paragone_worker_out_of_memory_total", **gpu, stage="generate") == 1
        assert host.value("paragone_worker_up", **gpu) == 1


def test_a_counter_goes_on_through_the_lives_of_a_worker_and_a_gauge_ends_with_its_process(host: Host) -> None:
    for _ in range(3):
        with host.life(GPU, 2):
            pass
    assert host.value("paragone_worker_jobs_total", worker="gpu0", outcome="done") == 18
    assert host.value("paragone_worker_batch_seconds_count", worker="gpu0") == 6
    assert host.value("paragone_worker_up", worker="gpu0") == 0
    assert not any(name == "paragone_worker_models_loaded" for name, _ in host.scrape())
    # However often it dies, no file is left of a life: a host that crashes for a week must not slow its scrapes.
    assert {file.name for file in host.metrics.folder.iterdir()} == {"counter_ended.db", "histogram_ended.db"}

    with host.life(GPU, 1):
        assert host.value("paragone_worker_jobs_total", worker="gpu0", outcome="done") == 21
        assert host.value("paragone_worker_models_loaded", worker="gpu0") == 1
        assert host.value("paragone_worker_restarts_total", worker="gpu0") == 3


def test_a_file_that_is_just_being_made_or_is_garbled_fails_no_scrape(host: Host) -> None:
    with host.life(GPU, 2):
        pass
    (host.metrics.folder / "counter_12.db").touch()
    assert host.value("paragone_worker_jobs_total", worker="gpu0", outcome="done") == 6
    (host.metrics.folder / "counter_13.db").write_bytes(b"\xff" * 100)
    assert host.value("paragone_worker_up", worker="gpu0") == 0, "what the supervisor knows is told all the same"
    for pid in (12, 13):
        host.metrics.note_end(GPU, pid)
    assert host.value("paragone_worker_jobs_total", worker="gpu0", outcome="done") == 6


def test_every_metric_that_is_told_is_described(host: Host) -> None:
    with host.life(GPU, 1):
        told = {name for name, _ in host.scrape()}
    known = {name for one in WORKER_METRICS for name in one.sample_names}
    assert told <= known
    # There is no GPU here.
    assert known - told == {"paragone_worker_gpu_memory_bytes", "paragone_worker_gpu_memory_size_bytes"}


def test_without_a_port_nothing_is_served_and_with_one_the_folder_is_private_and_removed() -> None:
    with fleet_metrics(Settings()) as metrics:
        assert metrics is None
    with fleet_metrics(Settings(metrics_port=0)) as metrics:
        assert metrics is not None
        folder = metrics.folder
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_a_port_that_is_taken_is_one_line_that_names_the_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(MetricsPortTaken, match=rf"port {port} of 127\.0\.0\.1 is taken: .*PARAGONE_METRICS_PORT"),
            fleet_metrics(Settings(metrics_port=port)),
        ):
            pass


def test_an_empty_variable_means_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_METRICS_PORT", "")
    assert Settings().metrics_port is None
