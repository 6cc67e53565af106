"""What a report shows, as plain facts: gathered in one place, drawn in others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

    from trainer.evaluation import Evaluation
    from trainer.history import History


@dataclass(frozen=True, kw_only=True)
class ExampleRepaint:
    """One repaint beside its original."""

    level: str
    image: Image
    prompt: str
    brief: str
    recaption: str | None


@dataclass(frozen=True, kw_only=True)
class Example:
    """One original and its repaints, by how far they go."""

    image: Image
    title: str
    artist: str
    style: str
    caption: str | None
    repaints: tuple[ExampleRepaint, ...]


@dataclass(frozen=True, kw_only=True)
class ModelFact:
    """A model that took part: what for, which, at which commit."""

    role: str
    model: str
    revision: str


@dataclass(frozen=True, kw_only=True)
class LevelFact:
    """How a level was painted."""

    name: str
    strength: float
    guidance: float
    steps: int


@dataclass(frozen=True, kw_only=True)
class ReportRun:
    """One training run."""

    split: str
    history: History
    evaluation: Evaluation
    #: Triplets in each part.
    triplets: Mapping[str, int]
    directory: str


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two pictures and how alike they are."""

    what: str
    one: Image
    other: Image
    captions: tuple[str | None, str | None]
    cosine: float
    clip_cosine: float


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """Everything on the page."""

    campaign: str
    seed: int
    size: int
    artworks: int
    repaints: int
    models: tuple[ModelFact, ...]
    levels: tuple[LevelFact, ...]
    #: Stage to state to count.
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    runs: tuple[ReportRun, ...] = ()
    pairs: tuple[Pair, ...] = ()
    #: True if random weights made all this: the page says so first.
    untrained: bool = False
