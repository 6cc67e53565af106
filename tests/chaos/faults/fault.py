"""What a fault is: a way to strike something that is there, for a while or at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.chaos.clockwork import Clockwork
    from tests.chaos.host import Host
    from tests.chaos.watch import Watch
    from tests.chaos.world import World


class Lane(StrEnum):
    """What a fault strikes: one at a time in each lane (of the first there is one for each host), several lanes at once."""

    #: The processes of one host, what it computes with, its clock.
    HOST = "host"
    BROKER = "broker"
    STORE = "store"
    DATABASE = "database"
    #: An operator's commands in the middle of it.
    COMMAND = "command"


class Missed(Exception):
    """There was nothing to hit: the fault does not count."""


@dataclass(kw_only=True)
class Hit:
    """What a fault has hit."""

    what: str
    #: How long it lasts.
    seconds: float = 0.0
    #: Leases whose holders it took away: they must be gone before it counts as over.
    victims: tuple[str, ...] = ()
    #: What was wrong about how the product took it.
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a fault needs to know to strike."""

    world: World
    watch: Watch
    rng: random.Random
    #: The one whose lane it is; None in the other lanes.
    host: Host | None = None
    #: Share of the faults of this run that were injected before.
    progress: float = 0.0

    @property
    def clockwork(self) -> Clockwork:
        """The world's."""
        return self.world.clockwork

    def outage(self) -> float:
        """Seconds for which something is away."""
        return self.rng.uniform(*self.clockwork.outage)

    def need_work(self) -> int:
        """How many jobs are held by workers; raises `Missed` if none is."""
        if not self.watch.sight.under_way:
            raise Missed
        return self.watch.sight.under_way


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One kind of fault."""

    kind: str
    lane: Lane
    weight: float
    strike: Callable[[Scene], AbstractContextManager[Hit]]
    #: The one kind of database that can have it; empty for both.
    database: str = ""
    #: Whether the store must lie on a file system of its own.
    own_disk: bool = False

    def is_possible(self, world: World) -> bool:
        """Whether it can happen in this world."""
        return self.database in {"", world.kind} and (world.disk.is_own or not self.own_disk)


FAULTS: list[Fault] = []


def fault(
    kind: str, lane: Lane, *, weight: float = 1.0, database: str = "", own_disk: bool = False
) -> Callable[[Callable[[Scene], AbstractContextManager[Hit]]], Callable[[Scene], AbstractContextManager[Hit]]]:
    """Register the decorated context manager: it strikes on entering, heals on leaving."""

    def register(strike: Callable[[Scene], AbstractContextManager[Hit]]) -> Callable[[Scene], AbstractContextManager[Hit]]:
        FAULTS.append(Fault(kind=kind, lane=lane, weight=weight, strike=strike, database=database, own_disk=own_disk))
        return strike

    return register
