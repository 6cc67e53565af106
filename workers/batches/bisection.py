"""Running a batch so that one bad job harms no other: halve on any fault until only the guilty one fails.

A full device is nobody's fault: models that lie idle on it leave first, then the batches become smaller, and after a while larger again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from workers.backends.errors import BadRequest, EndpointUnavailable, OutOfMemory, TransientFailure
from workers.batches.containment import contained
from workers.errors import ModelTrouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.scheduling.capacity import Capacity

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")


@dataclass(kw_only=True)
class Outcomes(Generic[ResultT]):
    """What came of each request, by its position in the batch."""

    results: dict[int, ResultT] = field(default_factory=dict)
    faults: dict[int, Exception] = field(default_factory=dict)
    #: The largest number of requests that ran together.
    together: int = 0

    def answer(self, position: int) -> ResultT:
        """The result of one request; raises its fault if it has none."""
        if position in self.faults:
            raise self.faults[position]
        return self.results[position]


def run_bisected(  # noqa: C901  # one branch for each kind of fault
    run: Callable[[Sequence[RequestT]], Sequence[ResultT]],
    requests: Sequence[RequestT],
    capacity: Capacity,
    *,
    make_room: Callable[[], bool] = lambda: False,
) -> Outcomes[ResultT]:
    """Run all requests, in pieces no larger than `capacity.limit`.

    Out of memory: `make_room` is asked to free what lies idle on the device, and if it could (True) the same piece runs again; else the
    limit falls. Alone, with nothing left to free, it is that request's fault. A passing fault is everybody's: the whole piece fails and is
    tried again later, as halving would only ask a broken service more often; of an endpoint that is away the rest is not asked at all.
    `ModelTrouble` is nobody's fault here and is raised.
    Anything else is bisected, and so is a backend that calls `sys.exit`.
    """
    outcomes: Outcomes[ResultT] = Outcomes()
    pending = [list(range(len(requests)))]
    while pending:
        piece = pending.pop()
        if len(piece) > capacity.limit:
            pending += [piece[capacity.limit :], piece[: capacity.limit]]
            continue
        try:
            with contained():
                results = _counted(run([requests[position] for position in piece]), len(piece))
        except OutOfMemory as error:
            if capacity.end_growth(len(piece)) or make_room() or capacity.shrink(len(piece)):
                pending.append(piece)
            else:
                outcomes.faults[piece[0]] = error
        except EndpointUnavailable as error:
            outcomes.faults |= dict.fromkeys(sum(pending, piece), error)
            pending.clear()
        except ModelTrouble:
            raise
        except TransientFailure as error:
            outcomes.faults |= dict.fromkeys(piece, error)
        except Exception as error:  # noqa: BLE001  # whatever a model throws must not take innocent jobs along
            if len(piece) == 1:
                outcomes.faults[piece[0]] = error
            else:
                middle = len(piece) // 2
                pending += [piece[middle:], piece[:middle]]
        else:
            outcomes.results |= dict(zip(piece, results, strict=True))
            outcomes.together = max(outcomes.together, len(piece))
    capacity.note_fit(outcomes.together)
    return outcomes


def _counted(results: Sequence[ResultT], wanted: int) -> Sequence[ResultT]:
    if len(results) != wanted:
        raise BadRequest(f"the backend gave {len(results)} results for {wanted} requests")
    return results
