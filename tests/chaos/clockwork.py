"""The clockworks of a run: the defaults, for which the promises are made, and a fast one for a run that belongs to `make test`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.acceptance.installation import FAST_RECOVERY


@dataclass(frozen=True, kw_only=True)
class Clockwork:
    """How fast the workers' clocks go, and how the faults keep pace with them; all in seconds."""

    #: Of the workers' environment.
    settings: dict[str, str]
    lease: float
    #: How long a batch may take before it counts as hanging.
    budget: float
    #: How long one batch holds the device.
    batch: float
    #: How long a fault lasts that has a duration.
    outage: tuple[float, float]
    #: Between two faults of one lane.
    pauses: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: After a database fault nothing is swept for a lease; the next one leaves some time for it.
    promise: float = 30.0
    #: Until nothing is left, once the faults are over: the longest series of retries and more.
    ending: float = 420.0


DEFAULT = Clockwork(
    settings={"PARAGONE_BUDGET_SECONDS": "30"},
    lease=15.0,
    budget=30.0,
    batch=0.4,
    outage=(1.5, 6.0),
    pauses={"host": (0.5, 3.0), "broker": (2.0, 6.0), "store": (5.0, 12.0), "database": (10.0, 16.0), "command": (4.0, 10.0)},
)

FAST = Clockwork(
    settings={
        **FAST_RECOVERY,
        "PARAGONE_BUDGET_SECONDS": "6",
        "PARAGONE_GRACE_SECONDS": "20",
        "PARAGONE_DATABASE_TIMEOUT_SECONDS": "4",
    },
    lease=4.0,
    budget=6.0,
    batch=0.2,
    outage=(0.5, 2.0),
    pauses={"host": (0.3, 1.5), "broker": (0.5, 2.0), "store": (1.0, 3.0), "database": (3.0, 5.0), "command": (1.0, 3.0)},
    ending=180.0,
)
