"""What the stages made. At most one result of each kind is current; older ones stay as history."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, ForeignKey, Index, Integer, String, Table, Text, literal_column, text

from db.engine.metadata import Id, Json, Moment, metadata


def _one_current(name: str, *columns: str) -> Index:
    """The promise that no image, prompt or caption exists twice."""
    return Index(name, *columns, unique=True, sqlite_where=text("current"), postgresql_where=text("current"))


captions = Table(
    "captions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), nullable=False),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("artwork_id", ForeignKey("artworks.id"), nullable=False, index=True),
    # NULL for the caption of the original; otherwise the repaint that is described.
    Column("variation_id", ForeignKey("variations.id"), index=True),
    Column("image_id", ForeignKey("images.id")),
    # The blob of the picture that is described, so that another campaign finds the sentence; NULL where nobody told, and for imported ones.
    Column("content_hash", String(64), index=True),
    # The caption of which this is a copy; NULL if its own job made it.
    Column("reused_from", Id),
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("current", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    _one_current("uq_captions_current", "job_id"),
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), nullable=False),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("variation_id", ForeignKey("variations.id"), nullable=False, index=True),
    # Before clauses were dropped to fit the generator's tokenizer.
    Column("draft", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("draft_tokens", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("brief", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("revision", Text, nullable=False),
    # How a language model came to it: writer, asked, faults, condensed, fallback. NULL where no model was asked.
    Column("writing", Json),
    Column("current", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    _one_current("uq_prompts_current", "job_id"),
)

images = Table(
    "images",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), nullable=False),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("artwork_id", ForeignKey("artworks.id"), nullable=False, index=True),
    Column("variation_id", ForeignKey("variations.id"), nullable=False, index=True),
    Column("prompt_id", ForeignKey("prompts.id"), nullable=False),
    Column("content_hash", String(64), nullable=False, index=True),
    # The original it was made from; NULL where its provenance does not tell.
    Column("original_hash", String(64)),
    Column("pixel_hash", String(64), nullable=False),
    Column("format", String(8), nullable=False),
    Column("byte_size", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    # The original's box on the square canvas, as [left, top, right, bottom]; the stored repaint is cropped to it.
    Column("content_box", Json, nullable=False),
    # The facts that follow from the plan, as written into the file.
    Column("provenance", Json, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("current", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    _one_current("uq_images_current", "variation_id"),
    # Counting the repaints of one campaign.
    Index("ix_images_current", "campaign_id", sqlite_where=text("current"), postgresql_where=text("current")),
)


def holds_now(table: Table) -> ColumnElement[bool]:
    """That a result is current, written as the partial indexes have it: SQLite uses them for no other way to write it."""
    return literal_column(f"{table.name}.current")
