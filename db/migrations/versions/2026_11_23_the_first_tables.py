"""the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_23"
down_revision = None
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

TABLES = (
    "artworks",
    "campaigns",
    "ingests",
    "jobs",
    "leases",
    "workers",
    "artwork_paths",
    "attempts",
    "batch_keys",
    "models",
    "triplet_sets",
    "variations",
    "prompts",
    "training_runs",
    "images",
    "captions",
    "triplets",
)


def upgrade() -> None:  # noqa: PLR0915  # one statement a table and index
    op.create_table(
        "artworks",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("style", sa.Text(), nullable=True),
        sa.Column("styles", JSON, nullable=False),
        sa.Column("subset", sa.Text(), nullable=True),
        sa.Column("picture", sa.String(length=16), nullable=False),
        sa.Column("picture_reason", sa.Text(), nullable=True),
        sa.Column("incomplete", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("byte_size", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("extra", JSON, nullable=True),
        sa.Column("registered_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artworks")),
        sa.UniqueConstraint("key", name=op.f("uq_artworks_key")),
    )
    with op.batch_alter_table("artworks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_artworks_content_hash"), ["content_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_artworks_group_key"), ["group_key"], unique=False)
        batch_op.create_index("ix_artworks_style", ["style"], unique=False)

    op.create_table(
        "campaigns",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("name", name=op.f("uq_campaigns_name")),
    )
    op.create_table(
        "ingests",
        sa.Column("id", ID, nullable=False),
        sa.Column("catalogue", sa.Text(), nullable=False),
        sa.Column("report", JSON, nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingests")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_key", sa.Text(), nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("artwork_id", ID, nullable=False),
        sa.Column("variation_id", ID, nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("batch_key", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("round", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.Double(), server_default="0", nullable=False),
        sa.Column("lease", sa.String(length=36), nullable=True),
        sa.Column("suspect", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("crashes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_kind", sa.String(length=16), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("job_key", name=op.f("uq_jobs_job_key")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs_claim",
            ["batch_key", "suspect", sa.text("priority DESC"), "id"],
            unique=False,
            sqlite_where=sa.text("state = 'ready'"),
            postgresql_where=sa.text("state = 'ready'"),
        )
        batch_op.create_index("ix_jobs_artwork_id", ["artwork_id", "campaign_id", "stage"], unique=False)
        batch_op.create_index(
            "ix_jobs_failed",
            ["campaign_id", "error_kind"],
            unique=False,
            sqlite_where=sa.text("state = 'failed'"),
            postgresql_where=sa.text("state = 'failed'"),
        )
        batch_op.create_index(
            "ix_jobs_lease",
            ["lease"],
            unique=False,
            sqlite_where=sa.text("lease IS NOT NULL"),
            postgresql_where=sa.text("lease IS NOT NULL"),
        )
        batch_op.create_index("ix_jobs_progress", ["campaign_id", "stage", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_jobs_variation_id"), ["variation_id"], unique=False)

    op.create_table(
        "leases",
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("claimed_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_leases")),
    )
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leases_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("stages", JSON, nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("versions", JSON, nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("stopped_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "artwork_paths",
        sa.Column("id", ID, nullable=False),
        sa.Column("artwork_id", ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("style", sa.Text(), nullable=True),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=True),
        sa.Column("modified_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["artwork_id"], ["artworks.id"], name=op.f("fk_artwork_paths_artwork_id_artworks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artwork_paths")),
        sa.UniqueConstraint("path", name=op.f("uq_artwork_paths_path")),
    )
    with op.batch_alter_table("artwork_paths", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_artwork_paths_artwork_id"), ["artwork_id"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_attempts_job_id_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempts_ended_at"), ["ended_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_job_id"), ["job_id"], unique=False)

    op.create_table(
        "batch_keys",
        sa.Column("batch_key", sa.Text(), nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("jobs", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_batch_keys_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("batch_key", name=op.f("pk_batch_keys")),
    )
    with op.batch_alter_table("batch_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_keys_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "models",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_models_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("campaign_id", "model", name=op.f("uq_models_campaign_id_model")),
    )
    op.create_table(
        "triplet_sets",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("recipe", JSON, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_triplet_sets_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triplet_sets")),
        sa.UniqueConstraint("name", name=op.f("uq_triplet_sets_name")),
    )
    op.create_table(
        "variations",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("artwork_id", ID, nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("redraws", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["artwork_id"], ["artworks.id"], name=op.f("fk_variations_artwork_id_artworks")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_variations_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variations")),
        sa.UniqueConstraint(
            "campaign_id", "artwork_id", "level", "ordinal", name=op.f("uq_variations_campaign_id_artwork_id_level_ordinal")
        ),
    )
    with op.batch_alter_table("variations", schema=None) as batch_op:
        batch_op.create_index("ix_variations_artwork_id", ["artwork_id"], unique=False)

    op.create_table(
        "prompts",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("variation_id", ID, nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("draft_tokens", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("brief", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_prompts_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_prompts_job_id_jobs")),
        sa.ForeignKeyConstraint(["variation_id"], ["variations.id"], name=op.f("fk_prompts_variation_id_variations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
    )
    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_prompts_variation_id"), ["variation_id"], unique=False)
        batch_op.create_index(
            "uq_prompts_current", ["job_id"], unique=True, sqlite_where=sa.text("current"), postgresql_where=sa.text("current")
        )

    op.create_table(
        "training_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("triplet_set_id", ID, nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("metrics", JSON, nullable=True),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["triplet_set_id"], ["triplet_sets.id"], name=op.f("fk_training_runs_triplet_set_id_triplet_sets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_runs")),
    )
    op.create_table(
        "images",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("artwork_id", ID, nullable=False),
        sa.Column("variation_id", ID, nullable=False),
        sa.Column("prompt_id", ID, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("pixel_hash", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content_box", JSON, nullable=False),
        sa.Column("provenance", JSON, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["artwork_id"], ["artworks.id"], name=op.f("fk_images_artwork_id_artworks")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_images_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_images_job_id_jobs")),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name=op.f("fk_images_prompt_id_prompts")),
        sa.ForeignKeyConstraint(["variation_id"], ["variations.id"], name=op.f("fk_images_variation_id_variations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
    )
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_images_artwork_id"), ["artwork_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_images_content_hash"), ["content_hash"], unique=False)
        batch_op.create_index(
            "ix_images_current", ["campaign_id"], unique=False, sqlite_where=sa.text("current"), postgresql_where=sa.text("current")
        )
        batch_op.create_index(batch_op.f("ix_images_variation_id"), ["variation_id"], unique=False)
        batch_op.create_index(
            "uq_images_current", ["variation_id"], unique=True, sqlite_where=sa.text("current"), postgresql_where=sa.text("current")
        )

    op.create_table(
        "captions",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("artwork_id", ID, nullable=False),
        sa.Column("variation_id", ID, nullable=True),
        sa.Column("image_id", ID, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["artwork_id"], ["artworks.id"], name=op.f("fk_captions_artwork_id_artworks")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_captions_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_captions_image_id_images")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_captions_job_id_jobs")),
        sa.ForeignKeyConstraint(["variation_id"], ["variations.id"], name=op.f("fk_captions_variation_id_variations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captions")),
    )
    with op.batch_alter_table("captions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_captions_artwork_id"), ["artwork_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_captions_variation_id"), ["variation_id"], unique=False)
        batch_op.create_index(
            "uq_captions_current", ["job_id"], unique=True, sqlite_where=sa.text("current"), postgresql_where=sa.text("current")
        )

    op.create_table(
        "triplets",
        sa.Column("set_id", ID, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("anchor_id", ID, nullable=False),
        sa.Column("positive_id", ID, nullable=False),
        sa.Column("negative_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["anchor_id"], ["artworks.id"], name=op.f("fk_triplets_anchor_id_artworks")),
        sa.ForeignKeyConstraint(["negative_id"], ["artworks.id"], name=op.f("fk_triplets_negative_id_artworks")),
        sa.ForeignKeyConstraint(["positive_id"], ["images.id"], name=op.f("fk_triplets_positive_id_images")),
        sa.ForeignKeyConstraint(["set_id"], ["triplet_sets.id"], name=op.f("fk_triplets_set_id_triplet_sets")),
        sa.PrimaryKeyConstraint("set_id", "ordinal", name=op.f("pk_triplets")),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
