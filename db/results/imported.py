"""Results that were made elsewhere, as an import hands them over, and what of them the database holds already."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from db.campaigns.tables import variations
from db.engine.bulk import runs
from db.results.tables import captions, images, prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database

#: The worker of results that no worker made.
IMPORT_WORKER = "import"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedText:
    """A caption with its provenance."""

    text: str
    #: As it was given, else "unknown".
    model: str
    #: "imported from ...", in place of a revision.
    origin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedPrompt:
    """A prompt with its draft and its provenance. Its tokens are not counted: whose tokenizer would count, nobody knows."""

    draft: str
    text: str
    model: str
    origin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedRepaint:
    """A repaint that lies in the store already; sizes in pixels, upright."""

    content_hash: str
    pixel_hash: str
    format: str
    byte_size: int
    width: int
    height: int
    #: Left, top, right, bottom of the original on the canvas it was repainted on.
    content_box: tuple[int, int, int, int]
    provenance: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedResult:
    """What is imported of one variation, or of one artwork alone if there is neither prompt nor repaint."""

    artwork_id: int
    artwork_key: str
    level: str
    ordinal: int
    #: None where it was not given: then the variation has the one that follows from its name.
    seed: int | None = None
    caption: ImportedText | None = None
    prompt: ImportedPrompt | None = None
    repaint: ImportedRepaint | None = None
    recaption: ImportedText | None = None

    @property
    def has_variation(self) -> bool:
        """Whether anything of it is about a repaint, and not about the original alone."""
        return self.prompt is not None or self.repaint is not None


class ImportOutcome(StrEnum):
    """What became of one imported result."""

    #: Something of it is new.
    ADDED = "added"
    #: Something of it took the place of an older result, which is history now.
    SUPERSEDED = "superseded"
    #: The database held all of it.
    UNCHANGED = "unchanged"
    #: One of its jobs was cancelled, which is final.
    CANCELLED = "cancelled"
    #: The campaign makes its results itself and has not planned this artwork.
    NOT_PLANNED = "not planned"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldVariation:
    """The current results of one variation."""

    seed: int
    draft: str | None
    prompt: str | None
    #: Hash of the current repaint's blob.
    content_hash: str | None
    recaption: str | None
    #: What an earlier import noted about the current repaint; empty if there is none.
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldResults:
    """The current results of some artworks in one campaign."""

    #: Artwork to the caption of its original.
    captions: dict[int, str]
    #: By artwork, level and ordinal.
    variations: dict[tuple[int, str, int], HeldVariation]


def held_results(database: Database, campaign_id: int, artwork_ids: Sequence[int]) -> HeldResults:
    """What a campaign holds of these artworks."""
    found = HeldResults(captions={}, variations={})
    with database.read() as connection:
        for some in runs(artwork_ids):
            of_originals = select(captions.c.artwork_id, captions.c.text).where(
                captions.c.artwork_id.in_(some),
                captions.c.campaign_id == campaign_id,
                captions.c.variation_id.is_(None),
                captions.c.current,
            )
            found.captions.update({row.artwork_id: row.text for row in connection.execute(of_originals)})
            for row in connection.execute(_HELD.where(variations.c.campaign_id == campaign_id, variations.c.artwork_id.in_(some))):
                found.variations[row.artwork_id, row.level, row.ordinal] = HeldVariation(
                    seed=row.seed,
                    draft=row.draft,
                    prompt=row.prompt,
                    content_hash=row.content_hash,
                    recaption=row.recaption,
                    provenance=dict(row.provenance or {}),
                )
    return found


_HELD = (
    select(
        variations.c.artwork_id,
        variations.c.level,
        variations.c.ordinal,
        variations.c.seed,
        prompts.c.draft,
        prompts.c.text.label("prompt"),
        images.c.content_hash,
        images.c.provenance,
        captions.c.text.label("recaption"),
    )
    .select_from(variations)
    .outerjoin(prompts, and_(prompts.c.variation_id == variations.c.id, prompts.c.current))
    .outerjoin(images, and_(images.c.variation_id == variations.c.id, images.c.current))
    .outerjoin(captions, and_(captions.c.variation_id == variations.c.id, captions.c.current))
)
