"""What scorers over the campaign's CLIP share: the model, and the cosine of pairs of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from db.quality import RepaintScore
from trainer.data.embeddings import ImageReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from db.quality import ScorableRepaint
    from trainer.quality.protocol import ScoringContext


class ClipScorer:
    """Scores each repaint by itself with the campaign's CLIP; a subclass says what of."""

    whole_campaign: ClassVar[bool] = False
    reads_captions: ClassVar[bool] = False
    #: Its entry point.
    name: ClassVar[str]

    def __init__(self, context: ScoringContext) -> None:
        self.context = context
        self.model = context.vectors.model
        self.revision = ""
        self.notes: list[str] = []

    def load(self) -> None:
        """Load CLIP if no other scorer did. Raises `ModelUnavailable`."""
        self.context.vectors.load()
        self.revision = self.context.vectors.revision

    def measure(self, repaints: Iterator[Sequence[ScorableRepaint]]) -> Iterator[list[RepaintScore]]:
        """A score of each repaint that can be read."""
        for some in repaints:
            yield self.score(some)

    def score(self, repaints: Sequence[ScorableRepaint]) -> list[RepaintScore]:
        """The scores of some repaints."""
        raise NotImplementedError

    def unload(self) -> None:
        """CLIP is shared: whoever made the context unloads it."""

    def image_rows(self, references: Sequence[ImageReference]) -> tuple[npt.NDArray[np.float32], dict[str, int]]:
        """Vectors of the images that can be read, and the row of each by content hash; the others are told of in the context."""
        found = self.context.vectors.of_images(references)
        self.context.unreadable.update(found.unreadable)
        return found.vectors, found.rows

    def named(self, repaints: Sequence[ScorableRepaint], cosines: npt.NDArray[np.float32]) -> list[RepaintScore]:
        """The cosines as scores of this scorer."""
        return [
            RepaintScore(image_id=repaint.image_id, name=self.name, value=float(cosine))
            for repaint, cosine in zip(repaints, cosines, strict=True)
        ]


def repaint_reference(repaint: ScorableRepaint) -> ImageReference:
    """The repaint's own file."""
    return ImageReference(content_hash=repaint.content_hash)


def original_reference(repaint: ScorableRepaint) -> ImageReference:
    """What it shows of the file of its original."""
    return ImageReference(content_hash=repaint.original_hash, link=repaint.original_link, box=repaint.source_box)


def cosines(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N,) cosines of the rows of two (N, dimension) arrays of unit length, from -1 to 1."""
    products: npt.NDArray[np.float32] = np.einsum("nd,nd->n", one, other).clip(-1.0, 1.0)
    return products
