"""What a report shows, as plain data: gathered in one place, rendered in others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainer.heads.registry import DEFAULT_HEAD
from trainer.losses.registry import DEFAULT_LOSS
from trainer.negatives.registry import DEFAULT_NEGATIVES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

    from db.quality import ScoreSummary
    from trainer.evaluate.evaluation import Evaluation
    from trainer.fit.history import History


@dataclass(frozen=True, kw_only=True)
class ExampleRepaint:
    """One repaint beside its original."""

    level: str
    image: Image
    prompt: str
    brief: str
    recaption: str | None


@dataclass(frozen=True, kw_only=True)
class ExampleArtwork:
    """One original and its repaints, by level."""

    image: Image
    title: str
    artist: str
    style: str
    caption: str | None
    repaints: tuple[ExampleRepaint, ...]


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """A model that was used: for what, which, at which commit."""

    role: str
    model: str
    revision: str


@dataclass(frozen=True, kw_only=True)
class LevelSummary:
    """The settings of a level; None for all of them where its repaints were imported, and nobody knows."""

    name: str
    strength: float | None
    guidance: float | None
    steps: int | None


@dataclass(frozen=True, kw_only=True)
class ReportRun:
    """One training run."""

    split: str
    history: History
    evaluation: Evaluation
    #: Triplets in each split.
    triplets: Mapping[str, int]
    directory: str
    negative_strategy: str = DEFAULT_NEGATIVES
    loss: str = DEFAULT_LOSS
    head: str = DEFAULT_HEAD


@dataclass(frozen=True, kw_only=True)
class ExamplePair:
    """Two images and how similar they are."""

    title: str
    one: Image
    other: Image
    captions: tuple[str | None, str | None]
    cosine: float
    clip_cosine: float


@dataclass(frozen=True, kw_only=True)
class ReportContent:
    """Everything on the page."""

    campaign: str
    seed: int
    size: int
    artworks: int
    repaints: int
    models: tuple[ModelSummary, ...]
    levels: tuple[LevelSummary, ...]
    #: Stage to state to count.
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    examples: tuple[ExampleArtwork, ...] = ()
    runs: tuple[ReportRun, ...] = ()
    pairs: tuple[ExamplePair, ...] = ()
    #: What `paragone score` measured, by score and level.
    scores: tuple[ScoreSummary, ...] = ()
    #: True if models with random weights made all this: the page says so first.
    untrained: bool = False
