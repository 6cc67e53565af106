"""Generate: the original on a square canvas goes in, the repaint cropped back to the original's shape is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.enums import FailureKind
from db.images import crop, degenerate_reason, encode, letterbox, pixel_hash
from db.results.stage_results import RepaintRecord
from workers.backends.protocol import RepaintRequest
from workers.errors import JobFault
from workers.stages.stage import Context, Prepared, load_image

if TYPE_CHECKING:
    from db.jobs.inputs import JobInput
    from workers.backends.protocol import RepaintResult


class GenerateStage:
    """Repaints one variation."""

    def prepare(self, work: JobInput, context: Context) -> Prepared:
        """Lay the original upright, in RGB, by Lanczos, onto the square canvas."""
        canvas, box = letterbox(load_image(work, context.store), context.parameters.picture["size"])
        return Prepared(work=work, request=RepaintRequest(image=canvas, prompt=work.prompt, seed=work.seed), box=box)

    def finish(self, prepared: Prepared, answer: RepaintResult, context: Context) -> RepaintRecord:
        """Crop to the content, judge it against the original, encode with its provenance, store."""
        work, box = prepared.work, prepared.box
        assert box is not None
        assert work.prompt_id is not None
        original = crop(prepared.request.image, box)
        repaint = crop(answer.image, box) if answer.image is not None else None
        reason = degenerate_reason(original=original, repaint=repaint)
        if reason is not None or repaint is None:
            raise JobFault(FailureKind.DEGENERATE, f"the repaint is worth nothing: {reason}")
        provenance = _provenance(prepared, context)
        picture = context.parameters.picture
        data = encode(repaint, format=picture["format"], quality=picture["quality"], metadata=provenance)
        stored_as = context.store.put(data)
        return RepaintRecord(
            job_id=work.job_id,
            prompt_id=work.prompt_id,
            content_hash=stored_as,
            pixel_hash=pixel_hash(repaint),
            format=picture["format"],
            byte_size=len(data),
            width=repaint.width,
            height=repaint.height,
            content_box=(box.left, box.top, box.right, box.bottom),
            provenance=provenance,
            seed=work.seed,
        )


def _provenance(prepared: Prepared, context: Context) -> dict[str, Any]:
    """Facts that follow from the plan alone: two runs of one plan write equal files."""
    work, parameters = prepared.work, context.parameters
    assert prepared.box is not None
    return {
        "artwork": work.key,
        "level": work.level,
        "model": parameters.model or parameters.backend,
        "revision": context.revision,
        "prompt": work.prompt,
        "seed": work.seed,
        "canvas": parameters.picture["size"],
        "content_box": prepared.box.to_json(),
        "original": work.content_hash,
        **parameters.settings,
    }
