"""Triplet sets: written whole once under their name, read back in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.exc import IntegrityError

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.engine.clock import now
from db.engine.limits import BULK_SECONDS
from db.results.tables import images
from db.training.tables import triplet_sets, triplets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from db.engine import Database


#: Triplets of one INSERT: few enough for a driver's memory, many enough that the round trip does not count.
_CHUNK = 5000


class Split(StrEnum):
    """The sides of a split."""

    #: The head learns from it.
    TRAIN = "train"
    #: Tells when to stop; carved from the training side.
    VALIDATION = "validation"
    #: Only evaluated, never learned from.
    TEST = "test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Triplet:
    """Anchor (an original), positive (its repaint), negative (another original or its repaint), by what names them in any database."""

    part: Split
    level: str
    #: The anchor's group of copies: a split keeps it on one side.
    group_key: str
    anchor_id: int
    anchor_key: str
    anchor_hash: str
    positive_id: int
    positive_hash: str
    #: The negative, or the original of which it is a repaint, as is the key.
    negative_id: int
    negative_key: str
    #: Of the picture that is the negative.
    negative_hash: str
    #: The repaint that is the negative; None where an original is.
    negative_image_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class TripletSet:
    """A named set of triplets and how it was drawn."""

    id: int
    name: str
    campaign_id: int
    seed: int
    recipe: dict[str, Any]
    content_hash: str


def keep_triplets(
    database: Database, *, name: str, campaign_id: int, seed: int, recipe: dict[str, Any], content_hash: str, drawn: Sequence[Triplet]
) -> TripletSet:
    """Write a set under its name, whole or not at all; what is already there under that name is left alone and returned as it is."""
    known = find_triplet_set(database, name)
    if known is not None:
        return known
    values = {"name": name, "campaign_id": campaign_id, "seed": seed, "recipe": recipe, "content_hash": content_hash}

    def write(connection: Connection) -> int:
        row = insert(triplet_sets).values(**values, created_at=now()).returning(triplet_sets.c.id)
        set_id = int(connection.execute(row).scalar_one())
        rows = [_row(set_id, ordinal, triplet) for ordinal, triplet in enumerate(drawn)]
        for start in range(0, len(rows), _CHUNK):
            connection.execute(insert(triplets), rows[start : start + _CHUNK])
        return set_id

    try:
        set_id = database.write(write, timeout_seconds=BULK_SECONDS)
    except IntegrityError:
        known = find_triplet_set(database, name)  # another trainer wrote it in the same moment
        if known is None:
            raise
        return known
    return TripletSet(id=set_id, **values)  # type: ignore[arg-type]


def find_triplet_set(database: Database, name: str) -> TripletSet | None:
    """The set of that name; None if there is none."""
    with database.read() as connection:
        row = connection.execute(select(triplet_sets).where(triplet_sets.c.name == name)).mappings().first()
    if row is None:
        return None
    return TripletSet(**{field: row[field] for field in TripletSet.__dataclass_fields__})


def triplets_of(database: Database, set_id: int, part: Split | None = None) -> list[Triplet]:
    """The triplets of a set in their order, of all parts or of one; repaints that were superseded since are still named."""
    query = _facts().where(triplets.c.set_id == set_id).order_by(triplets.c.ordinal)
    if part is not None:
        query = query.where(triplets.c.part == part)
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return [Triplet(**{**row, "part": Split(row["part"])}) for row in connection.execute(query).mappings()]


def _row(set_id: int, ordinal: int, triplet: Triplet) -> dict[str, Any]:
    return {
        "set_id": set_id,
        "ordinal": ordinal,
        "part": triplet.part.value,
        "anchor_id": triplet.anchor_id,
        "positive_id": triplet.positive_id,
        "negative_id": triplet.negative_id,
        "negative_image_id": triplet.negative_image_id,
    }


def _facts() -> Select[Any]:
    anchor, negative, repainted = artworks.alias("anchor"), artworks.alias("negative"), images.alias("negative_image")
    return (
        select(
            triplets.c.part,
            variations.c.level,
            anchor.c.group_key,
            anchor.c.id.label("anchor_id"),
            anchor.c.key.label("anchor_key"),
            anchor.c.content_hash.label("anchor_hash"),
            images.c.id.label("positive_id"),
            images.c.content_hash.label("positive_hash"),
            negative.c.id.label("negative_id"),
            negative.c.key.label("negative_key"),
            func.coalesce(repainted.c.content_hash, negative.c.content_hash).label("negative_hash"),
            triplets.c.negative_image_id,
        )
        .join(anchor, anchor.c.id == triplets.c.anchor_id)
        .join(negative, negative.c.id == triplets.c.negative_id)
        .outerjoin(repainted, repainted.c.id == triplets.c.negative_image_id)
        .join(images, images.c.id == triplets.c.positive_id)
        .join(variations, variations.c.id == images.c.variation_id)
    )
