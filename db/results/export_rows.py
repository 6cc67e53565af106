"""The current repaints of a campaign with everything that a data set tells of them, in an order that is the same in any database.

The order is by artwork key, level and ordinal, compared byte by byte. One statement sorts them and gives their ids, of which a reader keeps
eight bytes each; facts are then read by pages of ids. Pages by the last key would have PostgreSQL, whose index on the keys follows the
language of the database, sort the rest of the campaign anew for each page; sorting whole rows would have SQLite hold them all. Results are
never deleted: a repaint that is superseded meanwhile is still read as it was.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, func, select

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.engine.limits import BULK_SECONDS
from db.enums import ImageState
from db.quality.tables import scores
from db.results.repaint_joins import is_caption_of_original, is_caption_of_repaint, is_still_a_pair
from db.results.tables import captions, images, prompts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from db.engine import Database

#: A condition on a row of `images`.
ImageCondition = ColumnElement[bool]

#: Rows that are read at once.
PAGE = 500


@dataclass(frozen=True, kw_only=True)
class ExportSelection:
    """Which of a campaign's repaints are exported; every condition must hold."""

    campaign_id: int
    styles: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    #: Only the first repaints.
    limit: int | None = None
    #: A further condition on `images`, such as one on scores of a repaint.
    where: ImageCondition | None = None


@dataclass(frozen=True, kw_only=True)
class ModelRevision:
    """A model that made a text, at its commit."""

    model: str
    revision: str


@dataclass(frozen=True, kw_only=True)
class ExportRow:
    """One repaint, its original, and the texts that led from one to the other and describe both; sizes in pixels, upright."""

    image_id: int
    artwork_key: str
    #: Artworks that are copies of one another share it.
    group_key: str
    artist: str | None
    title: str | None
    style: str | None
    styles: tuple[str, ...]
    subset: str | None
    original_hash: str
    original_width: int | None
    original_height: int | None
    #: Where a linked original lies; None if the bytes are in the store.
    link: str | None
    level: str
    ordinal: int
    seed: int
    repaint_hash: str
    pixel_hash: str
    repaint_width: int
    repaint_height: int
    caption: str | None
    #: The prompt before it was cut to the generator's limit, and as it was given to the generator.
    draft: str
    draft_tokens: int
    prompt: str
    prompt_tokens: int
    brief: str
    recaption: str | None
    #: Stage to the model of its text: "caption", "prompt", "recaption".
    text_models: dict[str, ModelRevision]
    #: The facts that follow from the plan, as written into the repaint's file; its model and revision among them.
    provenance: dict[str, Any]
    #: Name of a measure to what it says of this repaint.
    scores: dict[str, float] = field(default_factory=dict)


def select_images(database: Database, selection: ExportSelection) -> array[int]:
    """The ids of the chosen repaints as they are now, in order."""
    query = _chosen(selection)
    for column in (artworks.c.key, variations.c.level):
        query = query.order_by(column.collate("C") if database.is_postgresql else column)
    query = query.order_by(variations.c.ordinal).limit(selection.limit)
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return array("q", connection.execute(query, execution_options={"yield_per": PAGE}).scalars())


def count_images(database: Database, selection: ExportSelection) -> int:
    """How many `select_images` would give without a limit."""
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return int(connection.scalar(select(func.count()).select_from(_chosen(selection).subquery())) or 0)


def rows_of(database: Database, image_ids: Sequence[int]) -> Iterator[ExportRow]:
    """The rows of these repaints, current or not, in the order of the ids; a page of them is held."""
    for start in range(0, len(image_ids), PAGE):
        page = list(image_ids[start : start + PAGE])
        with database.read(timeout_seconds=BULK_SECONDS) as connection:
            measured: defaultdict[int, dict[str, float]] = defaultdict(dict)
            for image_id, name, value in connection.execute(_SCORES.where(scores.c.image_id.in_(page))):
                measured[image_id][name] = value
            facts = connection.execute(_facts().where(images.c.id.in_(page))).mappings()
            found = {row["image_id"]: _row(row, measured[row["image_id"]]) for row in facts}
        yield from (found[image_id] for image_id in page)


def _chosen(selection: ExportSelection) -> Select[Any]:
    query = select(images.c.id).join(variations, variations.c.id == images.c.variation_id)
    query = query.join(artworks, artworks.c.id == images.c.artwork_id)
    query = query.where(
        images.c.campaign_id == selection.campaign_id,
        images.c.current,
        artworks.c.picture == ImageState.PRESENT,
        is_still_a_pair(),
    )
    if selection.styles:
        query = query.where(artworks.c.style.in_(selection.styles))
    if selection.levels:
        query = query.where(variations.c.level.in_(selection.levels))
    return query if selection.where is None else query.where(selection.where)


def _facts() -> Select[Any]:
    caption, recaption = captions.alias("caption"), captions.alias("recaption")
    return (
        select(
            images.c.id.label("image_id"),
            artworks.c.key.label("artwork_key"),
            *(artworks.c[name] for name in ("group_key", "artist", "title", "style", "styles", "subset", "link")),
            artworks.c.content_hash.label("original_hash"),
            artworks.c.width.label("original_width"),
            artworks.c.height.label("original_height"),
            variations.c.level,
            variations.c.ordinal,
            *(images.c[name] for name in ("seed", "pixel_hash", "provenance")),
            images.c.content_hash.label("repaint_hash"),
            images.c.width.label("repaint_width"),
            images.c.height.label("repaint_height"),
            *(prompts.c[name] for name in ("draft", "draft_tokens", "brief")),
            prompts.c.text.label("prompt"),
            prompts.c.tokens.label("prompt_tokens"),
            prompts.c.model.label("prompt_model"),
            prompts.c.revision.label("prompt_revision"),
            caption.c.text.label("caption"),
            caption.c.model.label("caption_model"),
            caption.c.revision.label("caption_revision"),
            recaption.c.text.label("recaption"),
            recaption.c.model.label("recaption_model"),
            recaption.c.revision.label("recaption_revision"),
        )
        .select_from(images)
        .join(variations, variations.c.id == images.c.variation_id)
        .join(prompts, prompts.c.id == images.c.prompt_id)
        .join(artworks, artworks.c.id == images.c.artwork_id)
        .outerjoin(caption, is_caption_of_original(caption))
        .outerjoin(recaption, is_caption_of_repaint(recaption))
    )


_SCORES = select(scores.c.image_id, scores.c.name, scores.c.value).order_by(scores.c.image_id, scores.c.name)


def _row(row: Any, measured: dict[str, float]) -> ExportRow:
    made_by = {
        stage: ModelRevision(model=row[f"{stage}_model"], revision=row[f"{stage}_revision"])
        for stage in ("caption", "prompt", "recaption")
        if row[f"{stage}_model"] is not None
    }
    plain = {name: row[name] for name in ExportRow.__dataclass_fields__ if name in row}
    return ExportRow(
        **{**plain, "styles": tuple(row["styles"]), "provenance": dict(row["provenance"]), "text_models": made_by, "scores": measured}
    )
