"""Triplets: anchor an original, positive its repaint, negative by a strategy, all three from one split."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from db.results.pairs import Repaint
from db.training import Split, Triplet, TripletSet, keep_triplets
from trainer.errors import NothingToTrainOn, TripletSetDiffers
from trainer.negatives.protocol import CountsFallbacks, NegativePool, draws_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from db.engine import Database
    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import Negative, NegativeStrategy

    Rows = npt.NDArray[np.int64]


#: A reason that recipes of triplet sets have recorded ever since: worded anew, the same triplets would get another name.
_UNKNOWN_ORIGINAL = "original not among the works"

#: Sides without which there is no training.
NEEDED = (Split.TRAIN, Split.TEST)


@dataclass(frozen=True, kw_only=True)
class DrawnTriplets:
    """The triplets that were drawn, and how many repaints gave none and why."""

    triplets: tuple[Triplet, ...]
    left_out: dict[str, int]
    #: How often a strategy drew otherwise than its name says, by reason.
    fell_back: dict[str, int] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """Equal for equal triplets in any database."""
        return hash_triplets(self.triplets)

    def counts(self) -> dict[str, int]:
        """Triplets in each split."""
        counted = Counter(triplet.part.value for triplet in self.triplets)
        return {split.value: counted[split.value] for split in Split}


def hash_triplets(triplets: Iterable[Triplet]) -> str:
    """SHA-256 over the triplets by name and content, in their order; row ids do not count."""
    digest = hashlib.sha256(b"paragone-triplets-1\n")
    for t in triplets:
        line = (t.part.value, t.level, t.group_key, t.anchor_key, t.anchor_hash, t.positive_hash, t.negative_key, t.negative_hash)
        digest.update("\x1f".join(line).encode() + b"\n")
    return digest.hexdigest()


def draw_triplets(
    *,
    originals: Sequence[GroupedOriginal],
    repaints: Sequence[Repaint],
    splits: Mapping[str, Split],
    strategy: Callable[[NegativePool], NegativeStrategy],
    per_repaint: int,
    seed: int,
    needed: Sequence[Split] = NEEDED,
    vectors: Callable[[Sequence[GroupedOriginal]], npt.NDArray[np.float32]] | None = None,
    hashes: Callable[[Sequence[GroupedOriginal]], npt.NDArray[np.uint64]] | None = None,
) -> DrawnTriplets:
    """`per_repaint` triplets for each repaint, with negatives from the originals and repaints of the same split.

    Args:
        originals: every original that may be an anchor or a negative.
        repaints: those of them, the positives.
        splits: the side of each group; what is of no group in it is left out.
        strategy: what draws negatives from one side.
        per_repaint: negatives of each repaint.
        seed: where all chance comes from.
        needed: sides that must not come out empty.
        vectors: gives the vectors (n, d) of originals.
        hashes: gives the difference hashes (n,) of originals.

    Raises:
        NothingToTrainOn: a split that is needed came out empty.
    """
    by_id = {original.artwork_id: original for original in originals}
    pools: defaultdict[Split, list[GroupedOriginal]] = defaultdict(list)
    for original in originals:
        if original.group_key in splits:
            pools[splits[original.group_key]].append(original)
    known = [repaint for repaint in repaints if repaint.artwork_id in by_id and by_id[repaint.artwork_id].group_key in splits]
    known.sort(key=lambda repaint: (by_id[repaint.artwork_id].key, repaint.level, repaint.ordinal))
    made: defaultdict[Split, list[Repaint]] = defaultdict(list)
    for repaint in known:
        made[splits[by_id[repaint.artwork_id].group_key]].append(repaint)
    strategies = {split: strategy(_pool(pools[split], made[split], vectors, hashes)) for split in Split}
    draws = {split: draws_of(one) for split, one in strategies.items()}
    randoms = {split: Random(f"paragone-triplets-1/{seed}/{split.value}") for split in Split}
    triplets: list[Triplet] = []
    left_out: Counter[str] = Counter()
    left_out[_UNKNOWN_ORIGINAL] = len(repaints) - len(known)
    for repaint in known:
        anchor = by_id[repaint.artwork_id]
        split = splits[anchor.group_key]
        negatives = draws[split](anchor, repaint, per_repaint, randoms[split])
        triplets += [_triplet(split, anchor, repaint, negative, by_id) for negative in negatives]
        if not negatives:
            left_out[strategies[split].explain_empty(anchor)] += 1
    drawn = DrawnTriplets(triplets=tuple(triplets), left_out=_by_reason(left_out), fell_back=_fallbacks(strategies.values()))
    _require(drawn, needed, {split: len({one.group_key for one in pools[split]}) for split in Split if made[split]})
    return drawn


def save_triplets(
    database: Database, drawn: DrawnTriplets, *, name: str, campaign_id: int, seed: int, recipe: dict[str, Any]
) -> TripletSet:
    """Write the triplets to the database under a name; doing it again changes nothing.

    Raises:
        TripletSetDiffers: the name is taken by other triplets.
    """
    full_recipe = {**recipe, "left_out": drawn.left_out, "triplets": drawn.counts()}
    saved = keep_triplets(
        database,
        name=name,
        campaign_id=campaign_id,
        seed=seed,
        recipe=full_recipe,
        content_hash=drawn.content_hash,
        drawn=drawn.triplets,
    )
    if saved.content_hash != drawn.content_hash or saved.recipe != full_recipe:
        raise TripletSetDiffers(f"the triplet set {name!r} holds other triplets: choose another name")
    return saved


def _pool(
    originals: list[GroupedOriginal],
    repaints: list[Repaint],
    vectors: Callable[[Sequence[GroupedOriginal]], npt.NDArray[np.float32]] | None,
    hashes: Callable[[Sequence[GroupedOriginal]], npt.NDArray[np.uint64]] | None,
) -> NegativePool:
    """The candidates of one side, for which vectors and hashes are looked up by place."""

    def at(rows: Rows) -> list[GroupedOriginal]:
        return [originals[row] for row in rows.tolist()]

    return NegativePool(
        originals=originals,
        repaints=repaints,
        vectors=None if vectors is None else lambda rows: vectors(at(rows)),
        hashes=None if hashes is None else lambda rows: hashes(at(rows)),
    )


def _fallbacks(strategies: Iterable[NegativeStrategy]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for strategy in strategies:
        if isinstance(strategy, CountsFallbacks):
            counted.update(strategy.fallbacks)
    return _by_reason(counted)


def _by_reason(counts: Counter[str]) -> dict[str, int]:
    return {reason: count for reason, count in sorted(counts.items()) if count}


def _triplet(split: Split, anchor: GroupedOriginal, repaint: Repaint, negative: Negative, by_id: Mapping[int, GroupedOriginal]) -> Triplet:
    painted = by_id[negative.artwork_id]
    return Triplet(
        part=split,
        level=repaint.level,
        group_key=anchor.group_key,
        anchor_id=anchor.artwork_id,
        anchor_key=anchor.key,
        anchor_hash=anchor.content_hash,
        positive_id=repaint.image_id,
        positive_hash=repaint.content_hash,
        negative_id=negative.artwork_id,
        negative_key=painted.key,
        negative_hash=negative.content_hash,
        negative_image_id=negative.image_id if isinstance(negative, Repaint) else None,
    )


def _require(drawn: DrawnTriplets, needed: Sequence[Split], groups: Mapping[Split, int]) -> None:
    """Raises `NothingToTrainOn` for a side without triplets; `groups` has the number of groups of each side with repaints."""
    counts = drawn.counts()
    empty = [split for split in needed if not counts[split.value]]
    if empty:
        reasons = "; ".join(f"{count} repaints: {reason}" for reason, count in drawn.left_out.items())
        way_on = "repaint more artworks"
        if groups.get(empty[0], 0) > 1:
            way_on = "draw negatives of any style with --negative-strategy any, or repaint artworks of more styles"
        raise NothingToTrainOn(f"the {empty[0].value} split has no triplet ({reasons}): {way_on}")
