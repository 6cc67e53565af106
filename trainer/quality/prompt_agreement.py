"""Whether a repaint shows what its prompt says: the cosine of CLIP's vector of the text and of the image.

The measure is CLIPScore's (Hessel et al., 2021, "CLIPScore: A Reference-free Evaluation Metric for Image Captioning") without its factor of
2.5 and its cut at 0. CLIP reads 77 tokens, with begin and end: what stands behind them in a prompt does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.quality.clip_scorer import ClipScorer, cosines, repaint_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from db.quality import RepaintScore, ScorableRepaint


class PromptAgreement(ClipScorer):
    """cos(CLIP(prompt), CLIP(repaint))."""

    name = "prompt_agreement"

    def measure(self, repaints: Iterator[Sequence[ScorableRepaint]]) -> Iterator[list[RepaintScore]]:
        """A score of each repaint that can be read; prompts that are too long are counted in `notes`."""
        cut = seen = 0
        for some in repaints:
            seen += len(some)
            cut += self.context.vectors.count_too_long([repaint.prompt for repaint in some])
            yield self.score(some)
        if cut:
            limit = self.context.vectors.text_limit
            self.notes.append(
                f"prompt_agreement: {cut} of {seen} prompts are longer than the {limit} tokens that CLIP reads: the rest is cut"
            )

    def score(self, repaints: Sequence[ScorableRepaint]) -> list[RepaintScore]:
        """Those whose image can be read."""
        vectors, rows = self.image_rows([repaint_reference(repaint) for repaint in repaints])
        seen = [one for one in repaints if one.content_hash in rows]
        if not seen:
            return []
        prompts = self.context.vectors.of_texts([one.prompt for one in seen])
        return self.named(seen, cosines(prompts, vectors[[rows[one.content_hash] for one in seen]]))
