"""One training run from a corpus to a saved model: split, triplets, training, evaluation, folder, record."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from db.training import Split, begin_run, finish_run, finished_runs
from trainer.checkpoints import CHECKPOINT
from trainer.errors import BadCheckpoint
from trainer.evaluation import Evaluation, evaluate
from trainer.model_folder import ModelConfig, TripletFacts, save_model
from trainer.negatives import OtherStyle
from trainer.rows import triplet_rows
from trainer.sources import Source
from trainer.splits import split_groups
from trainer.training import Training
from trainer.triplets import draw_triplets, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from db.engine import Database
    from db.training import Triplet, TripletSet
    from trainer.configuration import TrainingConfig
    from trainer.corpus import Corpus
    from trainer.history import Epoch, History
    from trainer.rows import TripletRows
    from trainer.splits import Shares
    from trainer.training import Trained

_log = logging.getLogger(__name__)

HISTORY, METRICS, TENSORBOARD = "history.json", "metrics.json", "tensorboard"


class Start(StrEnum):
    """How a run treats what an earlier one left in its folder."""

    #: Go on if it is of the same training, else begin anew.
    AUTO = "auto"
    #: Go on, or say why that cannot be.
    RESUME = "resume"
    #: Begin anew.
    FRESH = "fresh"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one run is to do."""

    shares: Shares
    config: TrainingConfig
    directory: Path
    start: Start = Start.AUTO
    #: Triplets drawn for each repaint, each with another negative.
    negatives: int = 4
    device: str = "cpu"
    captioner: Source | None = None
    #: Whether the models behind the corpus were never trained: kept with the model and shown with its figures.
    untrained_models: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run came to."""

    shares: Shares
    directory: Path
    triplet_set: TripletSet
    history: History
    evaluation: Evaluation

    def as_json(self) -> dict[str, Any]:
        """One entry of `paragone train --json`."""
        return {
            "split": str(self.shares),
            "directory": str(self.directory),
            "epochs": len(self.history.epochs),
            "best_epoch": self.history.best_epoch,
            "stopped_early": self.history.stopped_early,
            "triplet_set": {"name": self.triplet_set.name, "content_hash": self.triplet_set.content_hash, **self.triplet_set.recipe},
            "metrics": self.evaluation.model_dump(mode="json"),
        }


def train_run(database: Database, corpus: Corpus, plan: Plan, on_epoch: Callable[[Epoch], None] | None = None) -> Run:
    """Train, judge on the test side, save the model and write the run down; done again with the same facts it changes nothing."""
    plan.directory.mkdir(parents=True, exist_ok=True)
    parts = split_groups(corpus.group_styles, plan.shares, plan.config.seed)
    triplet_set, triplets = _triplets(database, corpus, plan, parts)
    config = {"split": str(plan.shares), **plan.config.model_dump(mode="json")}
    rows = {part: _rows(corpus, [t for t in triplets if t.part is part]) for part in Split}
    known = [run for run in finished_runs(database, corpus.campaign.id) if run.directory == str(plan.directory)]
    done = any(run.triplet_set_id == triplet_set.id and run.config == config for run in known)
    training = _training(corpus, plan, triplet_set, rows)
    resumed = _begin(training, plan)
    repeated = done and resumed
    run_id = (
        None
        if repeated
        else begin_run(database, name=str(plan.shares), triplet_set_id=triplet_set.id, config=config, directory=str(plan.directory))
    )
    with _curves(plan.directory, training.epochs_done) as draw:
        trained = training.run(lambda epoch: _each(epoch, draw, on_epoch))
    evaluation = evaluate(trained.head, corpus.embeddings.vectors, rows[Split.TEST])
    learned = [group for group, part in parts.items() if part is not Split.TEST]
    _save(corpus, plan, triplet_set=triplet_set, trained=trained, evaluation=evaluation, learned=learned)
    if run_id is not None:
        finish_run(database, run_id, evaluation.model_dump(mode="json"))
    return Run(shares=plan.shares, directory=plan.directory, triplet_set=triplet_set, history=trained.history, evaluation=evaluation)


def _triplets(database: Database, corpus: Corpus, plan: Plan, parts: dict[str, Split]) -> tuple[TripletSet, tuple[Triplet, ...]]:
    seed = plan.config.seed
    drawing = draw_triplets(
        works=corpus.works, repaints=corpus.repaints, parts=parts, strategy=OtherStyle, per_repaint=plan.negatives, seed=seed
    )
    recipe: dict[str, Any] = {
        "split": str(plan.shares),
        "validation": plan.shares.validation,
        "negatives": OtherStyle.name,
        "per_repaint": plan.negatives,
        "groups": {part.value: sum(1 for chosen in parts.values() if chosen is part) for part in Split},
        "campaign_hash": corpus.campaign.config.config_hash,
    }
    # The name follows from recipe and content, so a campaign that has grown since gets a further set and the old one stays.
    identity = json.dumps([recipe, drawing.left_out, seed, drawing.content_hash], sort_keys=True)
    name = f"{corpus.campaign.name}/{plan.shares.folder}/{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    kept = keep(database, drawing, name=name, campaign_id=corpus.campaign.id, seed=seed, recipe=recipe)
    return kept, drawing.triplets


def _rows(corpus: Corpus, triplets: list[Triplet]) -> TripletRows:
    groups = {work.key: work.group_key for work in corpus.works}
    return triplet_rows(triplets, corpus.embeddings.rows, groups)


def _training(corpus: Corpus, plan: Plan, triplet_set: TripletSet, rows: dict[Split, TripletRows]) -> Training:
    return Training(
        plan.config,
        vectors=corpus.embeddings.vectors,
        train=rows[Split.TRAIN],
        validation=rows[Split.VALIDATION],
        directory=plan.directory,
        # The same pictures under another CLIP are another training.
        triplet_hash=f"{triplet_set.content_hash}@{corpus.space.revision}",
        device=plan.device,
    )


def _begin(training: Training, plan: Plan) -> bool:
    """Whether the run goes on from a checkpoint."""
    if plan.start is not Start.FRESH:
        try:
            if training.resume():
                return True
        except BadCheckpoint as error:
            if plan.start is Start.RESUME:
                raise
            _log.info("begins anew", extra={"reason": str(error)})
    if plan.start is Start.RESUME:
        raise BadCheckpoint(f"{plan.directory} holds no checkpoint to go on from: leave out --resume")
    (plan.directory / CHECKPOINT).unlink(missing_ok=True)
    shutil.rmtree(plan.directory / TENSORBOARD, ignore_errors=True)
    return False


@contextmanager
def _curves(directory: Path, epochs_done: int) -> Iterator[Callable[[Epoch], None]]:
    """TensorBoard's curves of the run; what a cut-off run drew beyond its checkpoint is purged."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(directory / TENSORBOARD), purge_step=epochs_done + 1 if epochs_done else None)

    def draw(epoch: Epoch) -> None:
        for name, value in epoch.model_dump(exclude={"number"}).items():
            if value is not None:
                writer.add_scalar(name.replace("_", "/"), value, epoch.number)

    try:
        yield draw
    finally:
        writer.close()


def _each(epoch: Epoch, draw: Callable[[Epoch], None], on_epoch: Callable[[Epoch], None] | None) -> None:
    draw(epoch)
    if on_epoch is not None:
        on_epoch(epoch)


def _save(corpus: Corpus, plan: Plan, *, triplet_set: TripletSet, trained: Trained, evaluation: Evaluation, learned: list[str]) -> None:
    config = ModelConfig(
        dimension=corpus.embeddings.vectors.shape[1],
        campaign=corpus.campaign.name,
        clip=Source(location=corpus.clip.location, revision=corpus.space.revision, dtype=corpus.clip.dtype),
        captioner=plan.captioner,
        training=plan.config,
        triplets=TripletFacts(
            name=triplet_set.name, content_hash=triplet_set.content_hash, seed=triplet_set.seed, recipe=triplet_set.recipe
        ),
        temperature=trained.temperature,
        best_epoch=trained.history.best_epoch,
        metrics=evaluation,
        untrained_models=plan.untrained_models,
    )
    (plan.directory / HISTORY).write_text(trained.history.model_dump_json(indent=2), encoding="utf-8")
    (plan.directory / METRICS).write_text(evaluation.model_dump_json(indent=2), encoding="utf-8")
    save_model(plan.directory, trained.head, config, learned)
