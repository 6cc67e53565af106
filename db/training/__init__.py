"""What training leaves in the database: triplet sets, and the runs made from them."""

from __future__ import annotations

from db.training.runs import TrainingRun, begin_run, finish_run, finished_runs
from db.training.triplet_sets import Split, Triplet, TripletSet, find_triplet_set, keep_triplets, triplets_of

__all__ = [
    "Split",
    "TrainingRun",
    "Triplet",
    "TripletSet",
    "begin_run",
    "find_triplet_set",
    "finish_run",
    "finished_runs",
    "keep_triplets",
    "triplets_of",
]
