"""All tables. Rows do not leave `db`: other packages get frozen dataclasses."""

from __future__ import annotations

from db.campaigns.tables import campaigns, model_revisions, variations
from db.catalogue.tables import artwork_paths, artworks, ingests
from db.engine.metadata import metadata
from db.engine.tables import schema_compatibility
from db.jobs.tables import attempts, batch_keys, drained_hosts, jobs, leases, workers
from db.quality.tables import scores
from db.results.tables import captions, images, prompts
from db.store.tables import stores
from db.training.tables import training_runs, triplet_sets, triplets

__all__ = [
    "artwork_paths",
    "artworks",
    "attempts",
    "batch_keys",
    "campaigns",
    "captions",
    "drained_hosts",
    "images",
    "ingests",
    "jobs",
    "leases",
    "metadata",
    "model_revisions",
    "prompts",
    "schema_compatibility",
    "scores",
    "stores",
    "training_runs",
    "triplet_sets",
    "triplets",
    "variations",
    "workers",
]
