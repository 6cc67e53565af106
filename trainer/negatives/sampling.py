"""Different candidates at random, by blind draws while these succeed: a pool of 81,000 originals is not looked through for each anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from random import Random

CandidateT = TypeVar("CandidateT")

#: Blind draws for each that is wanted before all candidates are looked through.
_TRIES = 16


def sample_allowed(
    candidates: Sequence[CandidateT],
    count: int,
    random: Random,
    *,
    allowed: Callable[[CandidateT], bool],
    key: Callable[[CandidateT], Hashable],
) -> list[CandidateT]:
    """Up to `count` allowed candidates that differ in `key`, each equally likely; fewer only where there are not so many."""
    if not candidates:
        return []
    drawn: dict[Hashable, CandidateT] = {}
    for _ in range(_TRIES * count):
        candidate = candidates[random.randrange(len(candidates))]
        if allowed(candidate):
            drawn.setdefault(key(candidate), candidate)
        if len(drawn) == count:
            return list(drawn.values())
    others = {key(candidate): candidate for candidate in candidates if allowed(candidate) and key(candidate) not in drawn}
    return [*drawn.values(), *random.sample(list(others.values()), min(count - len(drawn), len(others)))]
