"""Generate: the original on a canvas goes in, the repaint brought back to the original's shape is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db.enums import FailureKind
from db.images import ContentBox, PreparedImage, crop, degenerate_reason, encode, pixel_hash, prepare
from db.jobs.inputs import RepaintInput
from db.results.stage_results import RepaintRecord
from workers.backends.protocol import RepaintRequest
from workers.backends.settings.base import RepaintSettings
from workers.errors import JobFault
from workers.observers import BatchPart
from workers.stages.image_loading import load_image
from workers.stages.stage import PreparedJob

if TYPE_CHECKING:
    from workers.backends.protocol import RepaintResult
    from workers.stages.stage import StageContext


@dataclass(frozen=True, kw_only=True)
class PreparedRepaint(PreparedJob[RepaintInput, RepaintRequest]):
    """A canvas with its prompt."""

    #: How the original lies on the canvas.
    laid_out: PreparedImage

    @property
    def box(self) -> ContentBox:
        """Where the original lies on the canvas."""
        return self.laid_out.box


class GenerateStage:
    """Repaints one variation."""

    needs_store = True
    input_type = RepaintInput
    settings_type = RepaintSettings

    def prepare(self, job: RepaintInput, context: StageContext[RepaintSettings]) -> PreparedRepaint:
        """Lay the original, upright and in RGB, onto the canvas in the way that the campaign chose."""
        picture = context.parameters.picture
        original = load_image(context, job.content_hash, link=job.link)
        laid_out = prepare(original, size=picture["size"], preparation=picture.get("preparation", "letterbox"))
        return PreparedRepaint(job=job, request=RepaintRequest(image=laid_out.canvas, prompt=job.prompt, seed=job.seed), laid_out=laid_out)

    def finish(
        self, prepared: PreparedRepaint, answer: RepaintResult, context: StageContext[RepaintSettings], *, revision: str
    ) -> RepaintRecord:
        """Check the content against the original's, bring it into its shape, encode with its provenance, store."""
        job, laid_out = prepared.job, prepared.laid_out
        box = laid_out.box
        repainted = crop(answer.image, box) if answer.image is not None else None
        reason = degenerate_reason(original=laid_out.content, repaint=repainted)
        if reason is not None or answer.image is None:
            raise JobFault(FailureKind.DEGENERATE, f"degenerate output: {reason}")
        repaint = laid_out.keep(answer.image)
        provenance = _provenance(prepared, context, revision)
        canvas = context.parameters.picture
        data = encode(repaint, format=canvas["format"], quality=canvas["quality"], metadata=provenance)
        with context.recorder.part(BatchPart.STORE):
            stored_as = context.store.put(data)
        return RepaintRecord(
            job_id=job.job_id,
            prompt_id=job.prompt_id,
            content_hash=stored_as,
            pixel_hash=pixel_hash(repaint),
            format=canvas["format"],
            byte_size=len(data),
            width=repaint.width,
            height=repaint.height,
            content_box=(box.left, box.top, box.right, box.bottom),
            provenance=provenance,
            seed=job.seed,
        )


def _provenance(prepared: PreparedRepaint, context: StageContext[RepaintSettings], revision: str) -> dict[str, Any]:
    """Facts that follow from the plan alone: two runs of one plan write equal files.

    The settings are the plan's as stored, not completed by defaults: a later version's defaults change no file of a campaign.
    """
    job, parameters = prepared.job, context.parameters
    return {
        "artwork": job.key,
        "level": job.level,
        "model": parameters.model or parameters.backend,
        "revision": revision,
        "prompt": job.prompt,
        "seed": job.seed,
        "original": job.content_hash,
        **prepared.laid_out.provenance,
        **parameters.settings,
    }
