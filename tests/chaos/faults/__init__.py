"""The faults, one file for each thing that they strike. Importing the package registers all of them."""

from __future__ import annotations

from tests.chaos.faults import backends, broker, clocks, commands, postgresql, processes, sqlite, store
from tests.chaos.faults.fault import FAULTS, Fault, Hit, Lane, Missed, Scene

__all__ = [
    "FAULTS",
    "Fault",
    "Hit",
    "Lane",
    "Missed",
    "Scene",
    "backends",
    "broker",
    "clocks",
    "commands",
    "postgresql",
    "processes",
    "sqlite",
    "store",
]
