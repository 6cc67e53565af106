"""The metrics of all worker processes of a host, on one port: the supervisor reads what they share, also of those that have died."""

from __future__ import annotations

import logging
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.metrics.descriptions import WORKER_RESTARTS, WORKER_UP
from workers.metrics.http_server import served

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from db.settings import Settings
    from workers.gpus import Device

logger = logging.getLogger(__name__)

#: Tries to read the files while their processes may be making them.
READS = 3
#: In place of a process id: what ended processes have counted.
ENDED = "ended"


class FleetMetrics:
    """A private folder into which worker processes count, and what the supervisor knows of them."""

    def __init__(self, folder: Path) -> None:
        """`folder` is empty and belongs to this supervisor alone."""
        self.folder = folder
        self._lock = threading.Lock()
        self._starts: dict[Device, int] = {}
        self._running: set[Device] = set()

    def note_start(self, device: Device) -> None:
        """A worker process was started on a device."""
        with self._lock:
            self._starts[device] = self._starts.get(device, 0) + 1
            self._running.add(device)

    def note_end(self, device: Device, pid: int) -> None:
        """That process has ended: what it counted stays, what it held does not."""
        from prometheus_client.multiprocess import mark_process_dead

        with self._lock:
            self._running.discard(device)
            mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]
            for kind in ("counter", "histogram"):
                self._keep_counts(kind, pid)

    def collect(self) -> Iterable[Any]:
        """As a collector of prometheus_client."""
        with self._lock:
            return [*self._processes(), *self._lives()]

    def _keep_counts(self, kind: str, pid: int) -> None:
        """Add what a dead process has counted to what others had: one file for all, however many have died."""
        from prometheus_client.mmap_dict import MmapedDict

        file = self.folder / f"{kind}_{pid}.db"
        if not file.exists():
            return
        kept = MmapedDict(str(self.folder / f"{kind}_{ENDED}.db"))  # type: ignore[no-untyped-call]
        try:
            for key, value, moment, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
                kept.write_value(key, kept.read_value(key)[0] + value, moment)  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001  # it died while it made the file
            logger.debug("%s holds no counts: %s", file, error)
        finally:
            kept.close()  # type: ignore[no-untyped-call]
        file.unlink()

    def _processes(self) -> list[Any]:
        from prometheus_client.multiprocess import MultiProcessCollector

        for _ in range(READS):
            try:
                files = [str(file) for file in self.folder.glob("*.db") if file.stat().st_size]  # empty while it is being made
                return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]
            except Exception as error:  # noqa: BLE001  # a process writes while its file is read
                logger.debug("the metrics of the workers could not be read: %s", error)
        return []

    def _lives(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        up = GaugeMetricFamily(WORKER_UP.name, WORKER_UP.help, labels=WORKER_UP.labels)
        restarts = CounterMetricFamily(WORKER_RESTARTS.name, WORKER_RESTARTS.help, labels=WORKER_RESTARTS.labels)
        for device, starts in self._starts.items():
            labels = (device.name, device.visible or "none")
            up.add_metric(labels, float(device in self._running))
            restarts.add_metric(labels, starts - 1)
        yield from (up, restarts)


@contextmanager
def fleet_metrics(settings: Settings) -> Iterator[FleetMetrics | None]:
    """The metrics of this host's workers, served while the block runs; None if no port is set.

    Raises:
        MetricsPortTaken: the port cannot be had.
    """
    if settings.metrics_port is None:
        yield None
        return
    from prometheus_client import CollectorRegistry

    with tempfile.TemporaryDirectory(prefix="paragone-metrics-", ignore_cleanup_errors=True) as folder:
        metrics = FleetMetrics(Path(folder))
        registry = CollectorRegistry()
        registry.register(metrics)
        address, named_by = settings.metrics_address, "PARAGONE_METRICS_PORT or PARAGONE_METRICS_ADDRESS"
        with served(registry, address=address, port=settings.metrics_port, named_by=named_by) as port:
            logger.info("metrics of this host's workers are at port %d of %s", port, address)
            yield metrics
