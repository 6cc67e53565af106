"""Triplets: anchor an original, positive its repaint, negative by a strategy, all three from one side of the split."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from db.training import Split, Triplet, TripletSet, keep_triplets
from trainer.errors import NothingToTrainOn, TripletSetDiffers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from db.engine import Database
    from db.results.pairs import Repaint
    from trainer.negatives import NegativeStrategy
    from trainer.works import Work


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What was drawn, and how many repaints gave nothing and why."""

    triplets: tuple[Triplet, ...]
    left_out: dict[str, int]

    @property
    def content_hash(self) -> str:
        """Equal for equal triplets in any database."""
        return hash_of(self.triplets)

    def counts(self) -> dict[str, int]:
        """Triplets in each part."""
        counted = Counter(triplet.part.value for triplet in self.triplets)
        return {part.value: counted[part.value] for part in Split}


def hash_of(triplets: Iterable[Triplet]) -> str:
    """SHA-256 over the triplets by name and content, in their order; row ids do not count."""
    digest = hashlib.sha256(b"paragone-triplets-1\n")
    for t in triplets:
        line = (t.part.value, t.level, t.group_key, t.anchor_key, t.anchor_hash, t.positive_hash, t.negative_key, t.negative_hash)
        digest.update("\x1f".join(line).encode() + b"\n")
    return digest.hexdigest()


def draw_triplets(
    *,
    works: Sequence[Work],
    repaints: Sequence[Repaint],
    parts: Mapping[str, Split],
    strategy: type[NegativeStrategy],
    per_repaint: int,
    seed: int,
    needed: Sequence[Split] = (Split.TRAIN, Split.TEST),
) -> Drawing:
    """`per_repaint` triplets for each repaint, with negatives from the works of the same part.

    Raises:
        NothingToTrainOn: a part that is needed came out empty.
    """
    by_id = {work.artwork_id: work for work in works}
    pools: defaultdict[Split, list[Work]] = defaultdict(list)
    for work in works:
        if work.group_key in parts:
            pools[parts[work.group_key]].append(work)
    strategies = {part: strategy(pools[part]) for part in Split}
    randoms = {part: Random(f"paragone-triplets-1/{seed}/{part.value}") for part in Split}
    drawn: list[Triplet] = []
    left_out: Counter[str] = Counter()
    known = [repaint for repaint in repaints if repaint.artwork_id in by_id and by_id[repaint.artwork_id].group_key in parts]
    left_out["original not among the works"] = len(repaints) - len(known)
    for repaint in sorted(known, key=lambda repaint: (by_id[repaint.artwork_id].key, repaint.level, repaint.ordinal)):
        anchor = by_id[repaint.artwork_id]
        part = parts[anchor.group_key]
        negatives = strategies[part].draw(anchor, per_repaint, randoms[part])
        drawn += [_triplet(part, anchor, repaint, negative) for negative in negatives]
        if not negatives:
            left_out["no original of another style in its part" if anchor.styles else "style unknown"] += 1
    drawing = Drawing(triplets=tuple(drawn), left_out={reason: count for reason, count in sorted(left_out.items()) if count})
    _require(drawing, needed)
    return drawing


def keep(database: Database, drawing: Drawing, *, name: str, campaign_id: int, seed: int, recipe: dict[str, Any]) -> TripletSet:
    """Write the drawing down under a name; doing it again changes nothing.

    Raises:
        TripletSetDiffers: the name is taken by other triplets.
    """
    facts = {**recipe, "left_out": drawing.left_out, "triplets": drawing.counts()}
    kept = keep_triplets(
        database, name=name, campaign_id=campaign_id, seed=seed, recipe=facts, content_hash=drawing.content_hash, drawn=drawing.triplets
    )
    if kept.content_hash != drawing.content_hash or kept.recipe != facts:
        raise TripletSetDiffers(f"the triplet set {name!r} holds other triplets: choose another name")
    return kept


def _triplet(part: Split, anchor: Work, repaint: Repaint, negative: Work) -> Triplet:
    return Triplet(
        part=part,
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


def _require(drawing: Drawing, needed: Sequence[Split]) -> None:
    counts = drawing.counts()
    empty = [part for part in needed if not counts[part.value]]
    if empty:
        reasons = "; ".join(f"{count} repaints: {reason}" for reason, count in drawing.left_out.items())
        raise NothingToTrainOn(f"the {empty[0].value} side has no triplet ({reasons}): repaint artworks of more styles")
