"""Stages that do nothing, one for each real one: for tests and benchmarks of everything around a stage's own work.

STAGES.update(FAKE_STAGES)
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from db.enums import Stage
from db.results.stage_results import CaptionRecord, PromptRecord, RepaintRecord
from workers.stages.stage import Context, Prepared, StageWork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.jobs.inputs import JobInput
    from db.results.stage_results import Result
    from workers.backends.protocol import ModelSource, Settings


class NoBackend:
    """A backend that hands its requests back."""

    needs_device: ClassVar[bool] = True

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source, self.device, self.revision = model, device, "fake"

    def load(self) -> None:
        """Nothing to load."""

    def run(self, batch: Sequence[Any], settings: Settings) -> Sequence[Any]:  # noqa: ARG002  # the protocol's form
        """The requests themselves."""
        return batch

    def unload(self) -> None:
        """Nothing to free."""


class FakeStage:
    """Reads and stores no picture; its results are well-formed and follow from the job alone."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def prepare(self, work: JobInput, context: Context) -> Prepared:  # noqa: ARG002  # the protocol's form
        """The job's facts, as they are."""
        return Prepared(work=work, request=work)

    def finish(self, prepared: Prepared, answer: Any, context: Context) -> Result:  # noqa: ARG002  # the protocol's form
        """A result that names the job."""
        work = prepared.work
        text = f"{self._stage} of {work.key}"
        match self._stage:
            case Stage.PROMPT:
                facts: dict[str, Any] = {"draft": text, "text": text, "draft_tokens": 4, "tokens": 4, "brief": "fake"}
                return PromptRecord(job_id=work.job_id, model="fake", revision="fake", **facts)
            case Stage.GENERATE:
                return _image(work)
            case _:
                return CaptionRecord(job_id=work.job_id, text=text, model="fake", revision="fake", image_id=work.image_id)


def _image(work: JobInput) -> RepaintRecord:
    assert work.prompt_id is not None
    name = hashlib.sha256(f"{work.key} {work.level} {work.seed}".encode()).hexdigest()
    return RepaintRecord(
        job_id=work.job_id,
        prompt_id=work.prompt_id,
        content_hash=name,
        pixel_hash=name,
        format="none",
        byte_size=0,
        width=1,
        height=1,
        content_box=(0, 0, 1, 1),
        provenance={},
        seed=work.seed,
    )


FAKE_STAGES: dict[Stage, StageWork] = {stage: FakeStage(stage) for stage in Stage}
