"""How alike a repaint and its original are: the cosine of their CLIP vectors. Near 1 means that hardly anything changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.quality.clip_scorer import ClipScorer, cosines, original_reference, repaint_reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.quality import RepaintScore, ScorableRepaint


class Similarity(ClipScorer):
    """cos(CLIP(original), CLIP(repaint)): 1 minus it is the distance to the original."""

    name = "similarity"

    def score(self, repaints: Sequence[ScorableRepaint]) -> list[RepaintScore]:
        """Those of which both images can be read."""
        references = [reference for repaint in repaints for reference in (original_reference(repaint), repaint_reference(repaint))]
        vectors, rows = self.image_rows(references)
        seen = [one for one in repaints if one.original_hash in rows and one.content_hash in rows]
        if not seen:
            return []
        originals = vectors[[rows[one.original_hash] for one in seen]]
        return self.named(seen, cosines(originals, vectors[[rows[one.content_hash] for one in seen]]))
