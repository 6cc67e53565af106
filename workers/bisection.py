"""Running a batch so that one bad job harms no other: halve on any fault until only the guilty one fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from workers.backends.errors import BadRequest, OutOfMemory, TransientFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")


@dataclass(kw_only=True)
class Capacity:
    """The most requests that fit the device at once; found by running out of memory, and kept."""

    limit: int


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


def run_bisected(
    run: Callable[[Sequence[RequestT]], Sequence[ResultT]], requests: Sequence[RequestT], capacity: Capacity
) -> Outcomes[ResultT]:
    """Run all requests, in pieces no larger than `capacity.limit`.

    Out of memory halves the limit and goes on; alone it is that request's fault. A passing fault is everybody's: the whole piece fails and
    is tried again later, as halving would only ask a broken service more often. Anything else is bisected.
    """
    outcomes: Outcomes[ResultT] = Outcomes()
    pending = [list(range(len(requests)))]
    while pending:
        piece = pending.pop()
        if len(piece) > capacity.limit:
            pending += [piece[capacity.limit :], piece[: capacity.limit]]
            continue
        try:
            results = _counted(run([requests[position] for position in piece]), len(piece))
        except OutOfMemory as error:
            if len(piece) == 1:
                outcomes.faults[piece[0]] = error
            else:
                capacity.limit = max(1, len(piece) // 2)
                pending.append(piece)
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
    return outcomes


def _counted(results: Sequence[ResultT], wanted: int) -> Sequence[ResultT]:
    if len(results) != wanted:
        raise BadRequest(f"the backend gave {len(results)} results for {wanted} requests")
    return results
