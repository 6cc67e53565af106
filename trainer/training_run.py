"""One training run from a dataset to a saved model: split, triplets, fitting, evaluation, folder, database."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from db.training import Split, TripletSet, begin_run, finish_run, finished_runs
from trainer.audit import LeakageAudit, audit_training, join_alike, keep_audit
from trainer.calibration.calibration import write_calibration
from trainer.calibration.fit import calibrate_head
from trainer.data.dataset_triplets import choose_negatives, notes_of
from trainer.data.triplet_indices import index_triplets
from trainer.data.triplets import save_triplets
from trainer.errors import BadCheckpoint
from trainer.evaluate.evaluation import Evaluation, evaluate_head
from trainer.evaluation.evaluated_model import EvaluatedModel
from trainer.finetune.seen import check_unseen
from trainer.fit.config import complete_record, run_record
from trainer.fit.head_fit import FittingData, head_fit
from trainer.model_folder import ModelConfig, TripletSetSummary, save_model
from trainer.model_sources import SavedModelSource
from trainer.spaces.saved_spaces import saved_spaces
from trainer.spaces.space_slice import CLIP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from db.engine import Database
    from db.training import Triplet
    from trainer.data.dataset import EmbeddingDataset
    from trainer.data.triplet_indices import TripletIndices
    from trainer.evaluation.picture_colours import PictureColours
    from trainer.evaluation.table import EvaluationTable
    from trainer.fit.config import TrainingConfig
    from trainer.fit.fitted import FittedHead
    from trainer.fit.head_fit import HeadFit
    from trainer.fit.history import Epoch, History
    from trainer.splits import SplitAssignment, SplitRule

_log = logging.getLogger(__name__)

HISTORY, METRICS, TENSORBOARD = "history.json", "metrics.json", "tensorboard"


class StartMode(StrEnum):
    """How a run treats what an earlier one left in its folder."""

    #: Resume if it is of the same training, else start anew.
    AUTO = "auto"
    #: Resume, or fail with the reason.
    RESUME = "resume"
    #: Start anew.
    FRESH = "fresh"


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run: its split, parameters and folder."""

    ratio: SplitRule
    config: TrainingConfig
    directory: Path
    start: StartMode = StartMode.AUTO
    #: Triplets drawn for each repaint, each with another negative.
    per_repaint: int = 4
    #: A name in the entry point group `paragone.negatives`, or a mixture; None for the default, or `any` where no work has another style.
    negative_strategy: str | None = None
    device: str = "cpu"
    captioner: SavedModelSource | None = None
    #: Whether the models behind the dataset were never trained: kept with the model and shown with its figures.
    untrained_models: bool = False
    #: Whether works that look the same are kept on one side, where the split is drawn.
    join_alike: bool = False
    #: Whether it trains although its sides share what they must not; the record says so.
    allow_leaks: bool = False
    #: Reads colours for the probe of colours; without it that probe is left out.
    colours: PictureColours | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingRunResult:
    """What one run produced."""

    ratio: SplitRule
    directory: Path
    triplet_set: TripletSet
    history: History
    evaluation: Evaluation
    assignment: SplitAssignment
    audit: LeakageAudit

    @property
    def notes(self) -> list[str]:
        """What a person should know before believing the figures, a line each."""
        return [*self.assignment.notes, *notes_of(self.triplet_set.recipe), *self.evaluation.notes]

    def as_json(self) -> dict[str, Any]:
        """One entry of `paragone train --json`."""
        return {
            "split": str(self.ratio),
            "directory": str(self.directory),
            "epochs": len(self.history.epochs),
            "best_epoch": self.history.best_epoch,
            "stopped_early": self.history.stopped_early,
            "triplet_set": {"name": self.triplet_set.name, "content_hash": self.triplet_set.content_hash, **self.triplet_set.recipe},
            "metrics": self.evaluation.model_dump(mode="json"),
            "audit": self.audit.summary().model_dump(mode="json"),
            "notes": self.notes,
        }


def train_run(
    database: Database | None, dataset: EmbeddingDataset, run: RunConfig, on_epoch: Callable[[Epoch], None] | None = None
) -> TrainingRunResult:
    """Train, evaluate on the test split, save the model and record the run; repeated with the same inputs it changes nothing.

    Without a database triplets and run are recorded in the model's folder alone.

    Raises:
        NothingToTrainOn: the dataset is too small, or a split has no triplet.
        LeakingSplit: sides of the split share what they must not, and `allow_leaks` is not set.
        BadCheckpoint: `start` is RESUME and there is no checkpoint that fits.
        UnknownComponent: the negative strategy, loss or head is not installed.
        LeakingSplit: the CLIP was fine-tuned on artworks that the split tests.
    """
    run = replace(run, config=run.config.in_spaces(_dimensions(dataset)))
    run.directory.mkdir(parents=True, exist_ok=True)
    assignment = _assign(dataset, run)
    splits = assignment.sides
    check_unseen(dataset.clip.location, splits)
    triplet_set, triplets = _triplets(database, dataset, run, assignment)
    audit = _audit(dataset, run, assignment, triplets)
    indices = {split: _indices(dataset, [t for t in triplets if t.part is split]) for split in Split}
    fit = _fit(dataset, run, triplet_set, indices)
    repeated = database is not None and _is_recorded(database, dataset, run, triplet_set)
    resumed = _start(fit, run)
    run_id = None if database is None or (repeated and resumed) else _begin(database, run, triplet_set)
    with _tensorboard(run.directory, fit.epochs_done) as write:
        fitted = fit.run(lambda epoch: _each(epoch, write, on_epoch))
    evaluation = evaluate_head(fitted.head, dataset.embeddings.vectors, indices[Split.TEST], spaces=dataset.spaces)
    evaluation = evaluation.model_copy(update={"table": _evaluation_table(dataset, run, splits, fitted)})
    seen = [group for group, split in splits.items() if split is not Split.TEST]
    write_calibration(run.directory, calibrate_head(fitted.head, dataset, splits, seed=run.config.seed))
    _save(dataset, run, triplet_set=triplet_set, fitted=fitted, evaluation=evaluation, seen=seen, audit=audit)
    if database is not None and run_id is not None:
        finish_run(database, run_id, evaluation.model_dump(mode="json"))
    return TrainingRunResult(
        ratio=run.ratio,
        directory=run.directory,
        triplet_set=triplet_set,
        history=fitted.history,
        evaluation=evaluation,
        assignment=assignment,
        audit=audit,
    )


def _assign(dataset: EmbeddingDataset, run: RunConfig) -> SplitAssignment:
    if run.join_alike:
        return join_alike(dataset, run.ratio, run.config.seed, untrained=run.untrained_models)
    return run.ratio.assign(dataset, run.config.seed)


def _audit(dataset: EmbeddingDataset, run: RunConfig, assignment: SplitAssignment, triplets: tuple[Triplet, ...]) -> LeakageAudit:
    found = audit_training(dataset, assignment, triplets, split=str(run.ratio), allowed=run.allow_leaks, untrained=run.untrained_models)
    keep_audit(run.directory, found.audit)
    return found.audit


def _triplets(
    database: Database | None, dataset: EmbeddingDataset, run: RunConfig, assignment: SplitAssignment
) -> tuple[TripletSet, tuple[Triplet, ...]]:
    seed = run.config.seed
    chosen = choose_negatives(dataset, assignment.sides, named=run.negative_strategy, per_repaint=run.per_repaint, seed=seed)
    drawn = chosen.drawn
    recipe: dict[str, Any] = {
        "split": str(run.ratio),
        "validation": run.ratio.validation,
        **chosen.recipe(),
        "per_repaint": run.per_repaint,
        **assignment.record(),
        "campaign_hash": dataset.campaign.config.config_hash,
    }
    # The name follows from recipe and content, so a campaign that has grown since gets a further set and the old one stays.
    identity = json.dumps([recipe, drawn.left_out, seed, drawn.content_hash], sort_keys=True)
    name = f"{dataset.campaign.name}/{run.ratio.folder}/{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    if database is None:
        recipe |= {"left_out": drawn.left_out, "triplets": drawn.counts()}
        kept = TripletSet(id=0, name=name, campaign_id=0, seed=seed, recipe=recipe, content_hash=drawn.content_hash)
        return kept, drawn.triplets
    saved = save_triplets(database, drawn, name=name, campaign_id=dataset.campaign.id, seed=seed, recipe=recipe)
    return saved, drawn.triplets


def _indices(dataset: EmbeddingDataset, triplets: list[Triplet]) -> TripletIndices:
    return index_triplets(triplets, dataset.embeddings.rows, dataset.groups_by_key)


def _dimensions(dataset: EmbeddingDataset) -> dict[str, int]:
    """The dimension of each space whose vectors lie side by side, in order."""
    return {space.name: space.dimension for space in dataset.spaces} or {CLIP: dataset.embeddings.vectors.shape[1]}


def _fit(dataset: EmbeddingDataset, run: RunConfig, triplet_set: TripletSet, indices: dict[Split, TripletIndices]) -> HeadFit:
    data = FittingData(
        vectors=dataset.embeddings.vectors,
        train=indices[Split.TRAIN],
        validation=indices[Split.VALIDATION],
        directory=run.directory,
        # The same images in other spaces are another training.
        triplet_hash=f"{triplet_set.content_hash}@{dataset.revision}",
        device=run.device,
    )
    return head_fit(run.config, data)


def _evaluation_table(dataset: EmbeddingDataset, run: RunConfig, splits: dict[str, Split], fitted: FittedHead) -> EvaluationTable:
    model = EvaluatedModel(
        head=fitted.head,
        embeddings=dataset.embeddings,
        originals=dataset.originals,
        repaints=dataset.repaints,
        test_groups=[group for group, split in splits.items() if split is Split.TEST],
        train_groups=[group for group, split in splits.items() if split is Split.TRAIN],
        spaces=dataset.spaces,
        colours=run.colours,
    )
    return model.evaluate()


def _is_recorded(database: Database, dataset: EmbeddingDataset, run: RunConfig, triplet_set: TripletSet) -> bool:
    """Whether the database holds this very run as finished."""
    record = run_record(str(run.ratio), run.config)
    return any(
        known.directory == str(run.directory) and known.triplet_set_id == triplet_set.id and complete_record(known.config) == record
        for known in finished_runs(database, dataset.campaign.id)
    )


def _begin(database: Database, run: RunConfig, triplet_set: TripletSet) -> int:
    config = run_record(str(run.ratio), run.config)
    return begin_run(database, name=str(run.ratio), triplet_set_id=triplet_set.id, config=config, directory=str(run.directory))


def _start(fit: HeadFit, run: RunConfig) -> bool:
    """Whether a checkpoint was resumed; if not, the folder is cleared of what an earlier run left."""
    if run.start is not StartMode.FRESH:
        try:
            if fit.resume():
                return True
        except BadCheckpoint as error:
            if run.start is StartMode.RESUME:
                raise
            _log.info("training starts anew", extra={"reason": str(error)})
    if run.start is StartMode.RESUME:
        raise BadCheckpoint(f"{run.directory} holds no checkpoint to resume: leave out --resume")
    fit.forget()
    shutil.rmtree(run.directory / TENSORBOARD, ignore_errors=True)
    return False


@contextmanager
def _tensorboard(directory: Path, epochs_done: int) -> Iterator[Callable[[Epoch], None]]:
    """TensorBoard's curves of the run; what an interrupted run wrote beyond its checkpoint is purged."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(directory / TENSORBOARD), purge_step=epochs_done + 1 if epochs_done else None)

    def write(epoch: Epoch) -> None:
        for name, value in epoch.model_dump(exclude={"number"}).items():
            if value is not None:
                writer.add_scalar(name.replace("_", "/"), value, epoch.number)

    try:
        yield write
    finally:
        writer.close()


def _each(epoch: Epoch, write: Callable[[Epoch], None], on_epoch: Callable[[Epoch], None] | None) -> None:
    write(epoch)
    if on_epoch is not None:
        on_epoch(epoch)


def _save(
    dataset: EmbeddingDataset,
    run: RunConfig,
    *,
    triplet_set: TripletSet,
    fitted: FittedHead,
    evaluation: Evaluation,
    seen: list[str],
    audit: LeakageAudit,
) -> None:
    clip_revision = next((space.revision for space in dataset.spaces if space.is_clip), None)
    config = ModelConfig(
        dimension=dataset.embeddings.vectors.shape[1],
        campaign=dataset.campaign.name,
        clip=SavedModelSource(location=dataset.clip.location, revision=clip_revision, dtype=dataset.clip.dtype),
        spaces=saved_spaces(dataset.spaces),
        captioner=run.captioner,
        training=run.config,
        triplets=TripletSetSummary(
            name=triplet_set.name, content_hash=triplet_set.content_hash, seed=triplet_set.seed, recipe=triplet_set.recipe
        ),
        temperature=fitted.temperature,
        best_epoch=fitted.history.best_epoch,
        metrics=evaluation,
        untrained_models=run.untrained_models,
        audit=audit.summary(),
    )
    (run.directory / HISTORY).write_text(fitted.history.model_dump_json(indent=2), encoding="utf-8")
    (run.directory / METRICS).write_text(evaluation.model_dump_json(indent=2), encoding="utf-8")
    save_model(run.directory, fitted.head, config, seen)
