"""Whether original and repaint are described alike: the cosine of CLIP's vectors of both captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainer.quality.clip_scorer import ClipScorer, cosines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.quality import RepaintScore, ScorableRepaint


class CaptionAgreement(ClipScorer):
    """cos(CLIP(caption of the original), CLIP(caption of the repaint))."""

    name = "caption_agreement"
    reads_captions: ClassVar[bool] = True

    def score(self, repaints: Sequence[ScorableRepaint]) -> list[RepaintScore]:
        """Those of which both captions are there."""
        seen = [one for one in repaints if one.caption and one.recaption]
        if not seen:
            return []
        before = self.context.vectors.of_texts([one.caption or "" for one in seen])
        return self.named(seen, cosines(before, self.context.vectors.of_texts([one.recaption or "" for one in seen])))
