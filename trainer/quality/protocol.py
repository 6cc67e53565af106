"""What a scorer is: repaints in, one number of each out.

A scorer is registered as an entry point in the group `paragone.scorers` and writes a score under that very name; filters know it by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from db.campaigns import Campaign
    from db.engine import Database
    from db.quality import RepaintScore, ScorableRepaint
    from db.store import Store
    from trainer.quality.vectors import ClipVectors
    from workers.backends.protocol import ModelSource


@dataclass(frozen=True, kw_only=True)
class ScoringContext:
    """What every scorer is given."""

    database: Database
    store: Store
    campaign: Campaign
    #: The campaign's CLIP, loaded when it is first asked for; scorers share it.
    vectors: ClipVectors
    device: str
    #: Models that the command names, by scorer.
    models: Mapping[str, ModelSource] = field(default_factory=dict)
    #: Content hash to reason: images that cannot be read. Scorers add to it.
    unreadable: dict[str, str] = field(default_factory=dict)


class Scorer(Protocol):
    """Measures one thing of repaints."""

    #: True if a repaint's score depends on the others: then it is given all of the campaign, never only those that lack it.
    whole_campaign: ClassVar[bool]
    #: True if it looks at captions, of which a repaint can get new ones.
    reads_captions: ClassVar[bool]

    #: Hugging Face id or directory of what measures, and its commit or content hash; known after `load`.
    model: str
    revision: str
    #: What a person should know of what was measured, one line each.
    notes: list[str]

    def __init__(self, context: ScoringContext) -> None: ...

    def load(self) -> None:
        """Bring the model onto the device. Raises `ModelUnavailable` or `ScoringImpossible`."""
        ...

    def measure(self, repaints: Iterator[Sequence[ScorableRepaint]]) -> Iterator[list[RepaintScore]]:
        """Scores as they are known, some repaints at a time; what cannot be measured is left out."""
        ...

    def unload(self) -> None:
        """Free the device of what is this scorer's alone."""
        ...
