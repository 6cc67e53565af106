"""The metrics that `paragone metrics` reads from the database: their names, kinds, labels and meanings."""

from __future__ import annotations

from workers.metrics.descriptions import MetricDescription, MetricKind

UP = MetricDescription(
    name="paragone_up", kind=MetricKind.GAUGE, help="1 if the database answered, 0 if it is away, and then nothing else is told."
)
READ_SECONDS = MetricDescription(
    name="paragone_read_seconds", kind=MetricKind.GAUGE, help="Seconds that the latest reading of the database took."
)
JOBS = MetricDescription(
    name="paragone_jobs",
    kind=MetricKind.GAUGE,
    help="Jobs by state: waiting, ready, running, done, failed, cancelled.",
    labels=("campaign", "stage", "state"),
)
OLDEST_READY = MetricDescription(
    name="paragone_oldest_ready_job_age_seconds",
    kind=MetricKind.GAUGE,
    help="Seconds for which the oldest claimable job has been ready, of the next thousand of each batch key; absent if there is none.",
    labels=("campaign", "stage"),
)
STAGE_PAUSED = MetricDescription(
    name="paragone_stage_paused",
    kind=MetricKind.GAUGE,
    help="1 if the operator paused this stage, or some of its jobs.",
    labels=("campaign", "stage"),
)
JOBS_DONE = MetricDescription(
    name="paragone_jobs_done_total",
    kind=MetricKind.COUNTER,
    help="Jobs done since `paragone metrics` was started; its rate is the pace.",
    labels=("campaign", "stage"),
)
ATTEMPTS_FAILED = MetricDescription(
    name="paragone_job_attempts_failed_total",
    kind=MetricKind.COUNTER,
    help="Attempts that failed since `paragone metrics` was started, by kind; lost ones ended with their worker.",
    labels=("campaign", "stage", "kind"),
)
FAILED_JOBS = MetricDescription(
    name="paragone_failed_jobs",
    kind=MetricKind.GAUGE,
    help="Jobs that are given up, by kind: input, transient, oom, degenerate, poison.",
    labels=("campaign", "kind"),
)
LEASES = MetricDescription(name="paragone_leases", kind=MetricKind.GAUGE, help="Batches that workers hold.")
LEASES_ON_DEVICE = MetricDescription(name="paragone_leases_on_device", kind=MetricKind.GAUGE, help="Batches that are on a device.")
LEASES_EXPIRED = MetricDescription(
    name="paragone_leases_expired", kind=MetricKind.GAUGE, help="Batches whose lease has run out and that no worker has swept yet."
)
IMAGES = MetricDescription(
    name="paragone_images", kind=MetricKind.GAUGE, help="Current repaints; counted anew once a minute.", labels=("campaign",)
)
WORKERS = MetricDescription(name="paragone_workers", kind=MetricKind.GAUGE, help="Living worker processes.", labels=("host", "device"))
WORKER_THREADS = MetricDescription(
    name="paragone_worker_threads", kind=MetricKind.GAUGE, help="Threads of living worker processes.", labels=("host", "device")
)
WORKERS_IN_TROUBLE = MetricDescription(
    name="paragone_workers_in_trouble",
    kind=MetricKind.GAUGE,
    help="Living worker processes that something keeps from some of their jobs: `paragone status` tells what.",
    labels=("host", "device"),
)

#: Told even while the database is away.
ALWAYS = (UP,)
DATABASE_METRICS = (
    *(UP, READ_SECONDS, JOBS, OLDEST_READY, STAGE_PAUSED, JOBS_DONE, ATTEMPTS_FAILED, FAILED_JOBS),
    *(LEASES, LEASES_ON_DEVICE, LEASES_EXPIRED, IMAGES, WORKERS, WORKER_THREADS, WORKERS_IN_TROUBLE),
)
