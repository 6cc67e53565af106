"""An experiment: the pairs of one campaign, one CLIP, and a training run for each split, compared on one plot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from db.campaigns import frozen_revision
from trainer.data.dataset import embed_pairs
from trainer.evaluation.picture_colours import PictureColours
from trainer.fit.curves import plot_splits
from trainer.model_sources import are_untrained, best_device, captioner_source, clip_source, models_directory
from trainer.spaces.registry import new_spaces
from trainer.spaces.side_by_side import SpacesSideBySide
from trainer.spaces.space import ModelPlaces
from trainer.spaces.space_request import DEFAULT_SPACES, SpaceRequest
from trainer.training_run import RunConfig, StartMode, train_run

if TYPE_CHECKING:
    from pathlib import Path

    from db.store import Store
    from trainer.data.pair_source import PairSource
    from trainer.fit.config import TrainingConfig
    from trainer.fit.history import Epoch
    from trainer.splits import SplitRule
    from trainer.training_run import TrainingRunResult

PLOT = "splits.png"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is trained and where it is written."""

    ratios: tuple[SplitRule, ...]
    config: TrainingConfig
    #: Holds one folder a split, and the plot.
    directory: Path
    start: StartMode = StartMode.AUTO
    #: Triplets drawn for each repaint.
    per_repaint: int = 4
    #: A name in the entry point group `paragone.negatives`, or a mixture; None for the default, or `any` where no work has another style.
    negative_strategy: str | None = None
    #: Hugging Face id or directory; None for the campaign's local CLIP, else the default.
    clip: str | None = None
    #: What turns pictures into vectors, side by side in this order.
    spaces: tuple[SpaceRequest, ...] = tuple(map(SpaceRequest.parse, DEFAULT_SPACES))
    #: This host's local models, which replace those that the campaign names.
    models: Path | None = None
    #: As `RunConfig` says.
    join_alike: bool = False
    allow_leaks: bool = False


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


def run_experiment(source: PairSource, store: Store, experiment: Experiment, listener: ExperimentListener) -> ExperimentResult:
    """Embed once, vectors being kept in the store, then train and evaluate split by split."""
    from trainer.spaces.clip import ClipSpace

    directory = models_directory(source.campaign.config, experiment.models)
    clip, device = clip_source(directory, experiment.clip), best_device()
    places = ModelPlaces(config=source.campaign.config, models=directory, clip=experiment.clip, frozen=partial(_frozen_revision, source))
    embedder = SpacesSideBySide(new_spaces(experiment.spaces, places, device))
    clip = next((space.source for space in embedder.spaces if isinstance(space, ClipSpace)), clip)
    dataset = embed_pairs(source, store, embedder=embedder, clip=clip, on_progress=listener.embedded, directory=experiment.directory)
    embedder.unload()
    untrained = are_untrained(directory)
    captioner = captioner_source(source.campaign.config, directory, source.captioner_revision())
    colours = PictureColours(source.originals(), source.repaints(), store, source.read_image)
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
            join_alike=experiment.join_alike,
            allow_leaks=experiment.allow_leaks,
            colours=colours,
        )
        results.append(train_run(source.database, dataset, run, lambda epoch, split=str(ratio): listener.epoch(split, epoch)))  # type: ignore[misc]
    plot = experiment.directory / PLOT
    plot_splits({str(result.ratio): result.history for result in results}, plot)
    return ExperimentResult(runs=tuple(results), plot=plot, unreadable=dataset.embeddings.unreadable, untrained_models=untrained)


def _frozen_revision(source: PairSource, backend: str, model: str) -> str | None:
    """The commit of a model that the campaign began with; None if the pairs are of no database here, or it was never loaded."""
    return None if source.database is None else frozen_revision(source.database, source.campaign.id, backend=backend, model=model)
