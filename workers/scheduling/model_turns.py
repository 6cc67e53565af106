"""Turns of the models that do not all fit the device: the loaded ones work on, within a bound on how long another waits for its turn.

A model that fits beside those that are loaded takes no turn: it is loaded when its work is the next. One whose load would evict another
waits while the loaded ones have work, but at most `bound_seconds`. With one model on the device at a time, turns are as long as the number
of campaigns that each model serves asks for, and so that every other model's turns together stay within the bound; with several on the
device, the bound is divided by the models that wait. A turn begins when its model is loaded. Turns never shrink below an eighth of the
bound, or loading would take all the time: of more than eight models that wait the last waits longer than the bound.

A change waits for the batches under way: else one of them would bring the old model back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from db.jobs.claim import BatchCandidate

#: The shortest turn, in parts of the bound.
SHORTEST_TURN = 1 / 8


@dataclass(frozen=True, kw_only=True)
class ModelNeed:
    """What a batch needs of the device."""

    #: Equal for batches that share a loaded model; None for those that compute elsewhere.
    model: Hashable | None
    #: Whether it would have to be loaded and another would have to leave.
    evicts: bool


class ModelTurns:
    """Whose turn it is on one device. Not for several threads at once: its owner has a lock."""

    def __init__(self, *, bound_seconds: float) -> None:
        self._bound = bound_seconds
        self._began = 0.0
        #: Since when a model of some priority has had work and was not on the device.
        self._waiting_since: dict[tuple[int, Hashable], float] = {}

    def look(self, found: Sequence[BatchCandidate], needs: Mapping[str, ModelNeed], moment: float) -> None:
        """`found` is everything that has work now: notes which models begin and which cease to wait."""
        waiting = {
            (candidate.priority, needs[candidate.batch_key].model): moment for candidate in found if needs[candidate.batch_key].evicts
        }
        self._waiting_since = {name: self._waiting_since.get(name, since) for name, since in waiting.items()}

    def begin(self, moment: float) -> None:
        """Another model comes onto the device, or has come."""
        self._began = moment

    def arranged(
        self, found: Sequence[BatchCandidate], needs: Mapping[str, ModelNeed], moment: float, *, device_is_free: bool
    ) -> tuple[list[BatchCandidate], bool]:
        """Candidates of one priority, in the order of fair shares, rearranged by the model that they need.

        What must not be claimed now is left out. The second is True if nothing more, of whatever priority, may be claimed for the device
        until the batches under way have ended.
        """
        waiting = dict.fromkeys(needs[candidate.batch_key].model for candidate in found if needs[candidate.batch_key].evicts)
        if not waiting:
            return list(found), False
        resident = {needs[candidate.batch_key].model for candidate in found} - waiting.keys() - {None}
        longest = min(waiting, key=lambda model: self._waiting_since[found[0].priority, model])
        if resident and not self._is_due(found, needs, longest, resident, moment):
            by_need = sorted(found, key=lambda candidate: needs[candidate.batch_key].evicts)
            return [candidate for candidate in by_need if device_is_free or not needs[candidate.batch_key].evicts], False
        if not device_is_free:
            return [candidate for candidate in found if needs[candidate.batch_key].model is None], True
        first = {longest} if resident else {longest, None}
        return sorted(found, key=lambda candidate: needs[candidate.batch_key].model not in first), False

    def _is_due(
        self,
        found: Sequence[BatchCandidate],
        needs: Mapping[str, ModelNeed],
        longest: Hashable,
        resident: AbstractSet[Hashable],
        moment: float,
    ) -> bool:
        turn = self._bound * max(SHORTEST_TURN, turn_length(weights_of(found, needs), resident))
        return moment - self._began >= turn and moment - self._waiting_since[found[0].priority, longest] >= turn


def weights_of(found: Iterable[BatchCandidate], needs: Mapping[str, ModelNeed]) -> dict[Hashable, float]:
    """How much of the device each model should have: one for each campaign, in equal parts to the models that it has work for."""
    models: dict[int, set[Hashable]] = defaultdict(set)
    for candidate in found:
        if (model := needs[candidate.batch_key].model) is not None:
            models[candidate.campaign_id].add(model)
    weights: dict[Hashable, float] = defaultdict(float)
    for of_campaign in models.values():
        for model in of_campaign:
            weights[model] += 1 / len(of_campaign)
    return weights


def turn_length(weights: Mapping[Hashable, float], resident: AbstractSet[Hashable]) -> float:
    """How long those on the device work on before another comes, in parts of the bound.

    Alone, model m of weight w(m) has w(m) / (sum of w - least w): then the turns of all others are within the bound for every model, and
    in proportion to their weights.
    """
    if len(resident) > 1:
        return 1 / (len(weights) - len(resident))
    return sum(weights[model] for model in resident) / (sum(weights.values()) - min(weights.values()))
