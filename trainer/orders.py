"""An order to train: one campaign, one CLIP, and a run for each split, compared on one plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from db.campaigns import frozen_revision
from trainer.corpus import gather_corpus
from trainer.plots import plot_splits
from trainer.run import Plan, Start, train_run
from trainer.sources import are_untrained, best_device, captioner_source, clip_source, models_directory

if TYPE_CHECKING:
    from pathlib import Path

    from db.campaigns import Campaign
    from db.engine import Database
    from db.store import Store
    from trainer.configuration import TrainingConfig
    from trainer.history import Epoch
    from trainer.run import Run
    from trainer.sources import Source
    from trainer.splits import Shares

PLOT = "splits.png"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be trained and where it goes."""

    splits: tuple[Shares, ...]
    config: TrainingConfig
    #: Holds one folder a split, and the plot.
    directory: Path
    start: Start = Start.AUTO
    negatives: int = 4
    #: Hugging Face id or directory; None for the campaign's local CLIP, else the default.
    clip: str | None = None
    #: This host's local models, which stand in for those that the campaign names.
    models: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an order came to."""

    runs: tuple[Run, ...]
    plot: Path
    #: Content hash to the reason why a picture took no part.
    unreadable: dict[str, str]
    untrained_models: bool


class Listener(Protocol):
    """Is told how it goes."""

    def embedded(self, done: int, total: int) -> None:
        """So many of the pictures that had no embedding have one now."""
        ...

    def epoch(self, split: str, epoch: Epoch) -> None:
        """An epoch ended."""
        ...


def carry_out(database: Database, store: Store, campaign: Campaign, order: Order, listener: Listener) -> Outcome:
    """Embed once, then train and judge split by split."""
    from workers.backends.clip import ClipEmbedder

    directory = models_directory(campaign.config, order.models)
    clip, device = clip_source(directory, order.clip), best_device()
    embedder = ClipEmbedder(model=clip, device=device)
    corpus = gather_corpus(database, store, campaign, embedder=embedder, clip=clip, on_progress=listener.embedded)
    embedder.unload()
    untrained = are_untrained(directory)
    runs = []
    for shares in order.splits:
        plan = Plan(
            shares=shares,
            config=order.config,
            directory=order.directory / shares.folder,
            start=order.start,
            negatives=order.negatives,
            device=device,
            captioner=_captioner(database, campaign, directory),
            untrained_models=untrained,
        )
        runs.append(train_run(database, corpus, plan, lambda epoch, split=str(shares): listener.epoch(split, epoch)))  # type: ignore[misc]
    plot_splits({str(run.shares): run.history for run in runs}, order.directory / PLOT)
    return Outcome(runs=tuple(runs), plot=order.directory / PLOT, unreadable=corpus.embeddings.unreadable, untrained_models=untrained)


def _captioner(database: Database, campaign: Campaign, directory: Path | None) -> Source | None:
    """The campaign's captioner at the commit that its captions were made with."""
    return captioner_source(
        campaign.config,
        directory,
        frozen_revision(database, campaign.id, backend=campaign.config.caption.backend, model=campaign.config.caption.model),
    )
