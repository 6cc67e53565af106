"""An experiment: one campaign, one CLIP, and a training run for each split, compared on one plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from db.campaigns import frozen_revision
from trainer.data.dataset import load_dataset
from trainer.fit.curves import plot_splits
from trainer.model_sources import are_untrained, best_device, captioner_source, clip_source, models_directory
from trainer.negatives.registry import DEFAULT_NEGATIVES
from trainer.training_run import RunConfig, StartMode, train_run

if TYPE_CHECKING:
    from pathlib import Path

    from db.campaigns import Campaign
    from db.engine import Database
    from db.store import Store
    from trainer.data.splits import SplitRatio
    from trainer.fit.config import TrainingConfig
    from trainer.fit.history import Epoch
    from trainer.model_sources import SavedModelSource
    from trainer.training_run import TrainingRunResult

PLOT = "splits.png"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is trained and where it is written."""

    ratios: tuple[SplitRatio, ...]
    config: TrainingConfig
    #: Holds one folder a split, and the plot.
    directory: Path
    start: StartMode = StartMode.AUTO
    #: Triplets drawn for each repaint.
    per_repaint: int = 4
    #: A name in the entry point group `paragone.negatives`.
    negative_strategy: str = DEFAULT_NEGATIVES
    #: Hugging Face id or directory; None for the campaign's local CLIP, else the default.
    clip: str | None = None
    #: This host's local models, which replace those that the campaign names.
    models: Path | None = None


@dataclass(frozen=True, kw_only=True)
class ExperimentResult:
    """The runs of an experiment and their common plot."""

    runs: tuple[TrainingRunResult, ...]
    plot: Path
    #: Content hash to the reason why an image was left out.
    unreadable: dict[str, str]
    untrained_models: bool


class ExperimentListener(Protocol):
    """Receives the progress of an experiment."""

    def embedded(self, done: int, total: int) -> None:
        """`done` of the `total` images that had no embedding have one now."""
        ...

    def epoch(self, split: str, epoch: Epoch) -> None:
        """An epoch ended."""
        ...


def run_experiment(
    database: Database, store: Store, campaign: Campaign, experiment: Experiment, listener: ExperimentListener
) -> ExperimentResult:
    """Embed once, then train and evaluate split by split."""
    from workers.backends.clip import ClipEmbedder

    directory = models_directory(campaign.config, experiment.models)
    clip, device = clip_source(directory, experiment.clip), best_device()
    embedder = ClipEmbedder(model=clip, device=device)
    dataset = load_dataset(database, store, campaign, embedder=embedder, clip=clip, on_progress=listener.embedded)
    embedder.unload()
    untrained = are_untrained(directory)
    captioner = _captioner(database, campaign, directory)
    results = []
    for ratio in experiment.ratios:
        run = RunConfig(
            ratio=ratio,
            config=experiment.config,
            directory=experiment.directory / ratio.folder,
            start=experiment.start,
            per_repaint=experiment.per_repaint,
            negative_strategy=experiment.negative_strategy,
            device=device,
            captioner=captioner,
            untrained_models=untrained,
        )
        results.append(train_run(database, dataset, run, lambda epoch, split=str(ratio): listener.epoch(split, epoch)))  # type: ignore[misc]
    plot = experiment.directory / PLOT
    plot_splits({str(result.ratio): result.history for result in results}, plot)
    return ExperimentResult(runs=tuple(results), plot=plot, unreadable=dataset.embeddings.unreadable, untrained_models=untrained)


def _captioner(database: Database, campaign: Campaign, directory: Path | None) -> SavedModelSource | None:
    """The campaign's captioner at the commit that its captions were made with."""
    caption = campaign.config.caption
    revision = frozen_revision(database, campaign.id, backend=caption.backend, model=caption.model)
    return captioner_source(campaign.config, directory, revision)
