"""Triplets: anchor an original, positive its repaint, negative by a strategy, all three from one split."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from db.training import Split, Triplet, TripletSet, keep_triplets
from trainer.errors import NothingToTrainOn, TripletSetDiffers
from trainer.negatives.protocol import NegativePool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from db.engine import Database
    from db.results.pairs import Repaint
    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativeStrategy


#: A reason that recipes of triplet sets have recorded ever since: worded anew, the same triplets would get another name.
_UNKNOWN_ORIGINAL = "original not among the works"


@dataclass(frozen=True, kw_only=True)
class DrawnTriplets:
    """The triplets that were drawn, and how many repaints gave none and why."""

    triplets: tuple[Triplet, ...]
    left_out: dict[str, int]

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
    strategy: type[NegativeStrategy],
    per_repaint: int,
    seed: int,
    needed: Sequence[Split] = (Split.TRAIN, Split.TEST),
) -> DrawnTriplets:
    """`per_repaint` triplets for each repaint, with negatives from the originals of the same split; `splits` by group.

    Raises:
        NothingToTrainOn: a split that is needed came out empty.
    """
    by_id = {original.artwork_id: original for original in originals}
    pools: defaultdict[Split, list[GroupedOriginal]] = defaultdict(list)
    for original in originals:
        if original.group_key in splits:
            pools[splits[original.group_key]].append(original)
    strategies = {split: strategy(NegativePool(originals=pools[split])) for split in Split}
    randoms = {split: Random(f"paragone-triplets-1/{seed}/{split.value}") for split in Split}
    triplets: list[Triplet] = []
    left_out: Counter[str] = Counter()
    known = [repaint for repaint in repaints if repaint.artwork_id in by_id and by_id[repaint.artwork_id].group_key in splits]
    left_out[_UNKNOWN_ORIGINAL] = len(repaints) - len(known)
    for repaint in sorted(known, key=lambda repaint: (by_id[repaint.artwork_id].key, repaint.level, repaint.ordinal)):
        anchor = by_id[repaint.artwork_id]
        split = splits[anchor.group_key]
        negatives = strategies[split].draw(anchor, per_repaint, randoms[split])
        triplets += [_triplet(split, anchor, repaint, negative) for negative in negatives]
        if not negatives:
            left_out[strategies[split].explain_empty(anchor)] += 1
    drawn = DrawnTriplets(triplets=tuple(triplets), left_out={reason: count for reason, count in sorted(left_out.items()) if count})
    _require(drawn, needed)
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


def _triplet(split: Split, anchor: GroupedOriginal, repaint: Repaint, negative: GroupedOriginal) -> Triplet:
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
        negative_key=negative.key,
        negative_hash=negative.content_hash,
    )


def _require(drawn: DrawnTriplets, needed: Sequence[Split]) -> None:
    counts = drawn.counts()
    empty = [split for split in needed if not counts[split.value]]
    if empty:
        reasons = "; ".join(f"{count} repaints: {reason}" for reason, count in drawn.left_out.items())
        raise NothingToTrainOn(f"the {empty[0].value} split has no triplet ({reasons}): repaint more artworks, of more styles")
