"""The metrics of one worker process, kept in files that its supervisor reads."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from workers.metrics import descriptions
from workers.metrics.descriptions import MetricKind
from workers.observers import BatchPart

if TYPE_CHECKING:
    from pathlib import Path

    from db.enums import Stage
    from workers.metrics.descriptions import MetricDescription
    from workers.observers import BatchFacts, WorkObserver

#: Where prometheus_client looks, when it is first imported, for the folder in which processes share their metrics.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def worker_metrics(folder: Path, *, worker: str, gpu: str) -> WorkObserver:
    """What counts the work of this process into `folder`.

    Args:
        folder: of the supervisor, which serves it.
        worker: the worker's name on its host, such as "gpu0": the same in its next life, which goes on counting.
        gpu: as CUDA_VISIBLE_DEVICES has it; empty on the CPU.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported before its folder was named")
    os.environ[SHARED_FOLDER] = str(folder)
    return WorkerMetrics(worker=worker, gpu=gpu or "none")


class WorkerMetrics:
    """Counts as a `WorkObserver`."""

    def __init__(self, *, worker: str, gpu: str) -> None:
        self._of_worker = (worker, gpu)
        self._metrics = {one.name: _metric(one) for one in descriptions.OF_PROCESSES}
        #: By name and label values: finding them anew costs more than counting.
        self._series: dict[tuple[str, ...], Any] = {}
        # Present from the start, so that the first increase is seen as one.
        self._of(descriptions.DEVICE_BUSY_SECONDS)
        self._of(descriptions.MODELS_LOADED)

    def model_loaded(self, name: str, seconds: float) -> None:
        """As `WorkObserver`."""
        self._of(descriptions.MODELS_LOADED).inc()
        self._of(descriptions.MODEL_LOADS, name).inc()
        self._of(descriptions.MODEL_LOAD_SECONDS, name).inc(seconds)
        self._of(descriptions.MODEL_EVICTIONS, name)
        self._note_memory()

    def model_evicted(self, name: str) -> None:
        """As `WorkObserver`."""
        self._of(descriptions.MODELS_LOADED).dec()
        self._of(descriptions.MODEL_EVICTIONS, name).inc()
        self._note_memory()

    def out_of_memory(self, stage: Stage, batch_size: int) -> None:  # noqa: ARG002  # as `WorkObserver`
        """As `WorkObserver`."""
        self._of(descriptions.OUT_OF_MEMORY, stage).inc()

    def batch_done(self, facts: BatchFacts) -> None:
        """As `WorkObserver`."""
        self._of(descriptions.BATCH_JOBS, facts.stage).observe(facts.jobs)
        self._of(descriptions.BATCH_SECONDS, facts.stage).observe(sum(facts.seconds.values()))
        for part, seconds in facts.seconds.items():
            self._of(descriptions.PART_SECONDS, facts.stage, part).inc(seconds)
        busy = facts.seconds.get(BatchPart.DEVICE, 0.0) + facts.seconds.get(BatchPart.MODEL, 0.0)
        self._of(descriptions.DEVICE_BUSY_SECONDS).inc(busy)
        for outcome, jobs in (("done", facts.done), ("failed", facts.failed)):
            self._of(descriptions.WORKER_JOBS, facts.campaign, facts.stage, outcome).inc(jobs)
        self._of(descriptions.OUT_OF_MEMORY, facts.stage)
        self._note_memory()

    def _of(self, description: MetricDescription, *values: str) -> Any:
        key = (description.name, *values)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = self._metrics[description.name].labels(*self._of_worker, *values)
        return found

    def _note_memory(self) -> None:
        cuda = _cuda()
        if cuda is None:
            return
        counted = {"allocated": cuda.memory_allocated, "reserved": cuda.memory_reserved, "peak": cuda.max_memory_allocated}
        for kind, count in counted.items():
            self._of(descriptions.GPU_MEMORY, kind).set(count())
        self._of(descriptions.GPU_MEMORY_TOTAL).set(cuda.get_device_properties(0).total_memory)


def _cuda() -> Any:
    """What torch tells of the GPU if a backend has begun to use it, else None: to ask must neither load torch nor occupy the GPU."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


def _metric(description: MetricDescription) -> Any:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

    # A registry that nobody asks: all values are in the shared folder.
    given: dict[str, Any] = {"labelnames": description.labels, "registry": CollectorRegistry()}
    match description.kind:
        case MetricKind.COUNTER:
            return Counter(description.name, description.help, **given)
        case MetricKind.HISTOGRAM:
            return Histogram(description.name, description.help, buckets=description.buckets, **given)
        case MetricKind.GAUGE:
            return Gauge(description.name, description.help, multiprocess_mode="livesum", **given)
