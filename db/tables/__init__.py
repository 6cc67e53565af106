"""The tables of the record. Rows do not leave `db`: other rooms get frozen dataclasses."""

from __future__ import annotations

from db.tables.artworks import artwork_paths, artworks, ingests
from db.tables.campaigns import campaigns, models, variations
from db.tables.jobs import attempts, batch_keys, jobs, leases, workers
from db.tables.metadata import metadata
from db.tables.results import captions, images, prompts
from db.tables.training import training_runs, triplet_sets, triplets

__all__ = [
    "artwork_paths",
    "artworks",
    "attempts",
    "batch_keys",
    "campaigns",
    "captions",
    "images",
    "ingests",
    "jobs",
    "leases",
    "metadata",
    "models",
    "prompts",
    "training_runs",
    "triplet_sets",
    "triplets",
    "variations",
    "workers",
]
