"""The metrics of worker processes: their names, kinds, labels and meanings, once for the code, the documentation and its tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """How Prometheus treats a metric."""

    #: Goes up and down.
    GAUGE = "gauge"
    #: Only grows; begins anew at 0 when its process is started anew. To be used with `rate` or `increase`.
    COUNTER = "counter"
    #: Counts by size; to be used with `histogram_quantile`.
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True)
class MetricDescription:
    """One metric."""

    name: str
    kind: MetricKind
    #: One sentence, with the unit.
    help: str
    labels: tuple[str, ...] = ()
    #: Upper bounds of a histogram.
    buckets: tuple[float, ...] = ()

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names by which PromQL finds it."""
        if self.kind is MetricKind.HISTOGRAM:
            return tuple(f"{self.name}_{suffix}" for suffix in ("bucket", "count", "sum"))
        return (self.name,)


#: On every metric of a worker process: its name on its host ("gpu0", "cpu"), which its next life keeps, and its GPU ("none" on the CPU).
OF_WORKER = ("worker", "gpu")

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
_JOBS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

BATCH_JOBS = MetricDescription(
    name="paragone_worker_batch_jobs",
    kind=MetricKind.HISTOGRAM,
    help="Jobs claimed together in one batch.",
    labels=(*OF_WORKER, "stage"),
    buckets=_JOBS,
)
BATCH_SECONDS = MetricDescription(
    name="paragone_worker_batch_seconds",
    kind=MetricKind.HISTOGRAM,
    help="Seconds of one batch from claim to commit.",
    labels=(*OF_WORKER, "stage"),
    buckets=_SECONDS,
)
PART_SECONDS = MetricDescription(
    name="paragone_worker_part_seconds_total",
    kind=MetricKind.COUNTER,
    help="Seconds of committed batches by part: claim, load, decode, wait (for the device), model, device, backend, encode, store, commit.",
    labels=(*OF_WORKER, "stage", "part"),
)
DEVICE_BUSY_SECONDS = MetricDescription(
    name="paragone_worker_device_busy_seconds_total",
    kind=MetricKind.COUNTER,
    help="Seconds for which batches computed on the device or loaded a model there; its rate is the busy share, 0 to 1.",
    labels=OF_WORKER,
)
WORKER_JOBS = MetricDescription(
    name="paragone_worker_jobs_total",
    kind=MetricKind.COUNTER,
    help="Jobs that this worker has finished, by outcome: done, or failed (for good or to be tried again).",
    labels=(*OF_WORKER, "campaign", "stage", "outcome"),
)
MODELS_LOADED = MetricDescription(
    name="paragone_worker_models_loaded",
    kind=MetricKind.GAUGE,
    help="Models loaded now.",
    labels=OF_WORKER,
)
MODEL_LOADS = MetricDescription(
    name="paragone_worker_model_loads_total",
    kind=MetricKind.COUNTER,
    help="Models loaded so far.",
    labels=(*OF_WORKER, "model"),
)
MODEL_LOAD_SECONDS = MetricDescription(
    name="paragone_worker_model_load_seconds_total",
    kind=MetricKind.COUNTER,
    help="Seconds that loading models took.",
    labels=(*OF_WORKER, "model"),
)
MODEL_EVICTIONS = MetricDescription(
    name="paragone_worker_model_evictions_total",
    kind=MetricKind.COUNTER,
    help="Models that had to leave the device so that another fits.",
    labels=(*OF_WORKER, "model"),
)
OUT_OF_MEMORY = MetricDescription(
    name="paragone_worker_out_of_memory_total",
    kind=MetricKind.COUNTER,
    help="Times that a batch was too large for the device's memory.",
    labels=(*OF_WORKER, "stage"),
)
GPU_MEMORY = MetricDescription(
    name="paragone_worker_gpu_memory_bytes",
    kind=MetricKind.GAUGE,
    help="Bytes of GPU memory as torch counts them after the latest batch: allocated, reserved, or peak (most allocated so far).",
    labels=(*OF_WORKER, "kind"),
)
GPU_MEMORY_TOTAL = MetricDescription(
    name="paragone_worker_gpu_memory_size_bytes",
    kind=MetricKind.GAUGE,
    help="Bytes of memory that the GPU has.",
    labels=OF_WORKER,
)

#: What each worker process counts.
OF_PROCESSES = (
    *(BATCH_JOBS, BATCH_SECONDS, PART_SECONDS, DEVICE_BUSY_SECONDS, WORKER_JOBS),
    *(MODELS_LOADED, MODEL_LOADS, MODEL_LOAD_SECONDS, MODEL_EVICTIONS, OUT_OF_MEMORY, GPU_MEMORY, GPU_MEMORY_TOTAL),
)

WORKER_UP = MetricDescription(
    name="paragone_worker_up",
    kind=MetricKind.GAUGE,
    help="1 while the worker process runs, 0 while it waits to be started again or has ended.",
    labels=OF_WORKER,
)
WORKER_RESTARTS = MetricDescription(
    name="paragone_worker_restarts_total",
    kind=MetricKind.COUNTER,
    help="Times that the supervisor started the worker process again.",
    labels=OF_WORKER,
)

#: What the supervisor knows of its processes.
OF_SUPERVISOR = (WORKER_UP, WORKER_RESTARTS)

WORKER_METRICS = (*OF_SUPERVISOR, *OF_PROCESSES)
