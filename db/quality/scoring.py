"""What a scorer reads, the current repaints that lack its score, and what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.engine.bulk import runs
from db.engine.clock import now
from db.engine.limits import BULK_SECONDS
from db.quality.tables import scores
from db.results.repaint_joins import is_caption_of_original, is_caption_of_repaint, is_still_a_pair
from db.results.tables import captions, images, prompts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from db.engine import Database

#: Repaints that are read, and scored, at once.
AT_ONCE = 4096

#: Rows of one INSERT: seven parameters each, and SQLite before 3.32 takes 999.
_ROWS = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorableRepaint:
    """One current repaint, its original, and the texts that belong to both."""

    image_id: int
    artwork_id: int
    #: Artworks that are copies of one another share it.
    group_key: str
    level: str
    content_hash: str
    #: The original's file, and where it lies if it was left outside the store.
    original_hash: str
    original_link: str | None
    #: Left, top, right, bottom of the part of the upright original that it shows, in pixels; None for all of it.
    source_box: tuple[int, int, int, int] | None
    prompt: str
    #: The sentences about the original and about the repaint; None where that stage is not done.
    caption: str | None
    recaption: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RepaintScore:
    """One value of one repaint."""

    image_id: int
    name: str
    value: float


@dataclass(frozen=True, kw_only=True)
class ScoreSource:
    """Who measured, and with what."""

    #: Its name in the entry point group `paragone.scorers`.
    scorer: str
    model: str
    #: The commit or content hash that was loaded: scores of two revisions do not compare.
    revision: str
    #: Whether it looks at captions: then a repaint that was described anew since lacks it.
    reads_captions: bool = False


def repaints_to_score(
    database: Database, campaign_id: int, *, lacking: ScoreSource | None = None, limit: int | None = None, at_once: int = AT_ONCE
) -> Iterator[list[ScorableRepaint]]:
    """The current repaints of a campaign by id, `at_once` in a list, `limit` in all; with `lacking` those without such a score."""
    query = _repaints(campaign_id)
    if lacking is not None:
        query = query.where(_lacks(lacking))
    after, left = 0, limit
    while left is None or left > 0:
        size = at_once if left is None else min(at_once, left)
        with database.read(timeout_seconds=BULK_SECONDS) as connection:
            rows = connection.execute(query.where(images.c.id > after).limit(size)).mappings()
            found = [_scorable(row) for row in rows]
        if not found:
            return
        yield found
        after, left = found[-1].image_id, None if left is None else left - len(found)


def count_repaints(database: Database, campaign_id: int, *, lacking: ScoreSource | None = None) -> int:
    """How many `repaints_to_score` would give."""
    query = _repaints(campaign_id)
    if lacking is not None:
        query = query.where(_lacks(lacking))
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return int(connection.scalar(select(func.count()).select_from(query.subquery())) or 0)


def write_scores(database: Database, source: ScoreSource, measured: Sequence[RepaintScore]) -> None:
    """Keep scores; one that is there under the same name and image is replaced."""
    rows = [
        {"image_id": one.image_id, "name": one.name, "value": float(one.value), **_of(source)}
        for one in {(score.image_id, score.name): score for score in measured}.values()
    ]
    insert: Any = insert_postgresql if database.is_postgresql else insert_sqlite

    def write(connection: Connection) -> None:
        for some in runs(rows, _ROWS):
            statement = insert(scores).values([{**row, "scored_at": now()} for row in some])
            changed = {name: statement.excluded[name] for name in ("value", "scorer", "model", "revision", "scored_at")}
            connection.execute(statement.on_conflict_do_update(index_elements=["image_id", "name"], set_=changed))

    if rows:
        database.write(write, timeout_seconds=BULK_SECONDS)


def scores_of(database: Database, campaign_id: int, name: str) -> dict[int, float]:
    """The values of one score of the current repaints of a campaign, by image."""
    query = select(scores.c.image_id, scores.c.value).join(images, images.c.id == scores.c.image_id)
    query = query.where(images.c.campaign_id == campaign_id, images.c.current, scores.c.name == name)
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return {row.image_id: row.value for row in connection.execute(query)}


def scored_revision(database: Database, campaign_id: int, *, name: str, model: str) -> str | None:
    """The revision of a model with which repaints of a campaign were scored last; None if there is none."""
    query = (
        select(scores.c.revision)
        .join(images, images.c.id == scores.c.image_id)
        .where(images.c.campaign_id == campaign_id, images.c.current, scores.c.name == name, scores.c.model == model)
        .order_by(scores.c.scored_at.desc())
        .limit(1)
    )
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return connection.scalar(query)


def _scorable(row: Any) -> ScorableRepaint:
    facts = {name: value for name, value in row.items() if name != "provenance"}
    box = row["provenance"].get("source_box")
    return ScorableRepaint(**facts, source_box=None if box is None else tuple(box))


def _of(source: ScoreSource) -> dict[str, str]:
    return {"scorer": source.scorer, "model": source.model, "revision": source.revision}


def _lacks(source: ScoreSource) -> Any:
    mine = select(scores.c.image_id).where(
        scores.c.image_id == images.c.id, scores.c.name == source.scorer, scores.c.revision == source.revision
    )
    if source.reads_captions:
        caption = captions.alias()
        later = select(caption.c.id).where(is_caption_of_repaint(caption), caption.c.created_at > scores.c.scored_at)
        mine = mine.where(~later.correlate(images, scores).exists())
    return ~mine.correlate(images).exists()


def _repaints(campaign_id: int) -> Select[Any]:
    caption, recaption = captions.alias("caption"), captions.alias("recaption")
    return (
        select(
            images.c.id.label("image_id"),
            images.c.artwork_id,
            artworks.c.group_key,
            variations.c.level,
            images.c.content_hash,
            artworks.c.content_hash.label("original_hash"),
            artworks.c.link.label("original_link"),
            images.c.provenance,
            prompts.c.text.label("prompt"),
            caption.c.text.label("caption"),
            recaption.c.text.label("recaption"),
        )
        .join(variations, variations.c.id == images.c.variation_id)
        .join(prompts, prompts.c.id == images.c.prompt_id)
        .join(artworks, artworks.c.id == images.c.artwork_id)
        .outerjoin(caption, is_caption_of_original(caption))
        .outerjoin(recaption, is_caption_of_repaint(recaption))
        .where(images.c.campaign_id == campaign_id, images.c.current, artworks.c.content_hash.is_not(None), is_still_a_pair())
        .order_by(images.c.id)
    )
