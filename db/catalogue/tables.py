"""Artworks, every path under which a copy was found, and the reports of how they came in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from db.engine.metadata import Id, Json, Moment, metadata

artworks = Table(
    "artworks",
    metadata,
    Column("id", Id, primary_key=True),
    # `artist-slug_title-slug` with its spelling repaired: the name that seeds are made from. No row id goes into a seed.
    Column("key", Text, nullable=False, unique=True),
    # Copies of one image (equal bytes under several keys) share a group; splits keep a group on one side.
    Column("group_key", Text, nullable=False, index=True),
    Column("artist", Text),
    Column("title", Text),
    Column("style", Text),
    Column("styles", Json, nullable=False),
    Column("subset", Text),
    Column("picture", String(16), nullable=False),
    # Why the original is unreadable.
    Column("picture_reason", Text),
    # Why the artwork is left out of campaigns unless asked in ("no style", "no artist", both), NULL if complete.
    Column("incomplete", Text),
    Column("content_hash", String(64), index=True),
    Column("byte_size", BigInteger),
    Column("width", Integer),
    Column("height", Integer),
    Column("mode", Text),
    # Absolute path or URL of an original that was left where it is (`ingest --link`); NULL if the bytes are in the store.
    Column("link", Text),
    # Further columns of the catalogue (date, museum, description, ...).
    Column("extra", Json),
    Column("registered_at", Moment, nullable=False),
    Index("ix_artworks_style", "style"),
)

artwork_paths = Table(
    "artwork_paths",
    metadata,
    Column("id", Id, primary_key=True),
    Column("artwork_id", ForeignKey("artworks.id"), nullable=False, index=True),
    # As it is spelled on disk or in the file list, relative to the image root.
    Column("path", Text, nullable=False, unique=True),
    Column("style", Text),
    # True if the name's spelling was repaired to find its artwork.
    Column("repaired", Boolean, nullable=False),
    # The path whose file is the artwork's original.
    Column("chosen", Boolean, nullable=False, server_default=text("false")),
    # Size and time of the file when it was last opened, so that an unchanged file is not opened again.
    Column("byte_size", BigInteger),
    Column("modified_ns", BigInteger),
)

ingests = Table(
    "ingests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("catalogue", Text, nullable=False),
    Column("report", Json, nullable=False),
    Column("finished_at", Moment, nullable=False),
)
