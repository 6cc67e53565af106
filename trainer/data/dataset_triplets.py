"""The triplets of a dataset, by the negative strategy that was named, or by one that finds negatives in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.data.triplets import NEEDED, draw_triplets
from trainer.negatives.registry import DEFAULT_NEGATIVES, check_strategy, load_strategy
from trainer.spaces.space_slice import frozen_slice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from db.training import Split
    from trainer.data.dataset import EmbeddingDataset
    from trainer.data.originals import GroupedOriginal
    from trainer.data.triplets import DrawnTriplets
    from trainer.negatives.protocol import NegativePool, NegativeStrategy

#: What draws where nobody named a strategy and no work has another style.
WITHOUT_STYLES = "any"


@dataclass(frozen=True, kw_only=True)
class ChosenNegatives:
    """Triplets, and by which strategy they were drawn."""

    #: A name, or a mixture.
    strategy: str
    drawn: DrawnTriplets
    #: Why the default strategy was left; "" where it was not, or another was named.
    reason: str = ""

    def recipe(self) -> dict[str, Any]:
        """What a triplet set's recipe says of it; for triplets that earlier versions could draw, what they said."""
        recipe: dict[str, Any] = {"negatives": self.strategy}
        if self.reason:
            recipe["instead_of"] = {"negatives": DEFAULT_NEGATIVES, "reason": self.reason}
        if self.drawn.fell_back:
            recipe["fell_back"] = self.drawn.fell_back
        return recipe


def choose_negatives(
    dataset: EmbeddingDataset, splits: Mapping[str, Split], *, named: str | None, per_repaint: int, seed: int
) -> ChosenNegatives:
    """Draw by the strategy that was named, else by the default; and by `WITHOUT_STYLES` where the default leaves a side empty.

    Raises:
        NothingToTrainOn: a side came out empty all the same.
        UnknownComponent: a strategy is not installed.
    """

    def draw(name: str, needed: Sequence[Split] = NEEDED) -> DrawnTriplets:
        return draw_from_dataset(dataset, splits, strategy=load_strategy(name), per_repaint=per_repaint, seed=seed, needed=needed)

    if named is not None:
        return ChosenNegatives(strategy=check_strategy(named), drawn=draw(named))
    usual = draw(DEFAULT_NEGATIVES, needed=())
    if all(usual.counts()[split.value] for split in NEEDED):
        return ChosenNegatives(strategy=DEFAULT_NEGATIVES, drawn=usual)
    return ChosenNegatives(strategy=WITHOUT_STYLES, drawn=draw(WITHOUT_STYLES), reason="; ".join(usual.left_out))


def draw_from_dataset(
    dataset: EmbeddingDataset,
    splits: Mapping[str, Split],
    *,
    strategy: Callable[[NegativePool], NegativeStrategy],
    per_repaint: int,
    seed: int,
    needed: Sequence[Split] = NEEDED,
) -> DrawnTriplets:
    """The triplets of a dataset, with its vectors and hashes for a strategy that asks; raises `NothingToTrainOn`."""
    embeddings, hashes = dataset.embeddings, dataset.hashes

    def vectors(originals: Sequence[GroupedOriginal]) -> npt.NDArray[np.float32]:
        # Of the space by whose cosines a head is judged: latents as they are say little of who is near to whom.
        columns = frozen_slice(dataset.spaces).columns if dataset.spaces else slice(None)
        rows = [embeddings.rows[original.content_hash] for original in originals]
        return np.asarray(embeddings.vectors[rows, columns], dtype=np.float32)

    return draw_triplets(
        originals=dataset.originals,
        repaints=dataset.repaints,
        splits=splits,
        strategy=strategy,
        per_repaint=per_repaint,
        seed=seed,
        needed=needed,
        vectors=vectors,
        hashes=None if hashes is None else lambda originals: hashes.of([original.content_hash for original in originals]),
    )


def notes_of(recipe: Mapping[str, Any]) -> list[str]:
    """What a person should know of how the negatives were drawn, a line each."""
    notes = []
    if "instead_of" in recipe:
        usual = recipe["instead_of"]
        notes.append(f"negatives are drawn by {recipe['negatives']!r} instead of {usual['negatives']!r}: {usual['reason']}")
    return notes + [f"{count} times {reason}" for reason, count in recipe.get("fell_back", {}).items()]
