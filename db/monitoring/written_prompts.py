"""The prompts of a campaign, how each was written, and how often the writer without a model had to step in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.results.tables import prompts

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from db.engine import Database


class PromptFilter(StrEnum):
    """Which prompts are meant, by how they were written."""

    #: The writer without a model had to write it.
    FALLBACK = "fallback"
    #: It was too long at first.
    CONDENSED = "condensed"
    #: The model was asked more than once.
    ASKED_AGAIN = "asked-again"
    #: A language model wrote it.
    BY_MODEL = "by-model"


@dataclass(frozen=True, kw_only=True)
class WrittenPrompt:
    """One current prompt."""

    #: The artwork's key.
    artwork: str
    artwork_id: int
    level: str
    ordinal: int
    #: What the generator reads.
    prompt: str
    #: Its tokens as the generator counts them.
    tokens: int
    draft: str
    draft_tokens: int
    #: The family of briefs that was drawn.
    brief: str
    #: The language model, or the backend that needs none.
    model: str
    #: How a language model came to it: writer, asked, faults, condensed, fallback; null where none was asked.
    writing: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class WritingCounts:
    """How the current prompts of a campaign were written."""

    prompts: int
    #: By a language model.
    by_model: int
    #: By the writer without a model, as no answer could be used.
    fallback: int
    #: Too long at first.
    condensed: int
    #: Answers that could not be used, by what was wrong with them.
    faults: dict[str, int]


def written_prompts(
    database: Database, campaign_id: int, *, where: PromptFilter | None = None, level: str | None = None, limit: int | None = None
) -> list[WrittenPrompt]:
    """The current prompts of a campaign, oldest first."""
    query = (
        select(prompts, artworks.c.key.label("artwork"), artworks.c.id.label("artwork_id"), variations.c.level, variations.c.ordinal)
        .join(variations, variations.c.id == prompts.c.variation_id)
        .join(artworks, artworks.c.id == variations.c.artwork_id)
        .where(prompts.c.campaign_id == campaign_id, prompts.c.current)
        .order_by(prompts.c.id)
        .limit(limit)
    )
    if where is not None:
        query = query.where(_condition(where))
    if level is not None:
        query = query.where(variations.c.level == level)
    names = [name for name in WrittenPrompt.__dataclass_fields__ if name != "prompt"]
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
    return [WrittenPrompt(prompt=row["text"], **{name: row[name] for name in names}) for row in rows]


def writing_counts(database: Database, campaign_id: int) -> WritingCounts:
    """How the current prompts of a campaign were written, all of them."""
    mine = (prompts.c.campaign_id == campaign_id, prompts.c.current)
    with database.read() as connection:
        # Of all prompts few were written in ways of their own: they are counted where they lie.
        groups = connection.execute(select(prompts.c.writing, func.count()).where(*mine).group_by(prompts.c.writing)).all()
    faults: Counter[str] = Counter()
    total = by_model = fallback = condensed = 0
    for writing, count in groups:
        total += count
        if writing is None:
            continue
        fallback += count if writing.get("fallback") else 0
        by_model += 0 if writing.get("fallback") else count
        condensed += count if writing.get("condensed") else 0
        for fault in writing.get("faults", ()):
            faults[fault] += count
    return WritingCounts(prompts=total, by_model=by_model, fallback=fallback, condensed=condensed, faults=dict(faults.most_common()))


def _condition(where: PromptFilter) -> ColumnElement[bool]:
    writing: ColumnElement[Any] = prompts.c.writing
    conditions: dict[PromptFilter, ColumnElement[bool]] = {
        PromptFilter.FALLBACK: writing["fallback"].as_boolean(),
        PromptFilter.BY_MODEL: ~writing["fallback"].as_boolean(),
        PromptFilter.CONDENSED: writing["condensed"].as_string().is_not(None),
        PromptFilter.ASKED_AGAIN: writing["asked"].as_integer() > 1,
    }
    return conditions[where]
