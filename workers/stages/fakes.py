"""Stages that do nothing, one for each real one: for tests and benchmarks of everything around a stage's own work.

They read and store no image; their results are well-formed and follow from the job alone.
"""

# ruff: noqa: ARG002 - the forms of the protocols

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, ClassVar

from db.enums import Stage
from db.jobs.inputs import CaptionInput, PromptInput, RecaptionInput, RepaintInput
from db.results.stage_results import CaptionRecord, PromptRecord, RepaintRecord
from workers.backends.settings.base import BackendSettings
from workers.backends.settings.fakes import NoBackendSettings
from workers.batches.batch_run import StageRunner
from workers.stages.stage import PreparedJob

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workers.backends.protocol import ModelSource
    from workers.stages.stage import StageContext
    from workers.worker_context import BatchRunner

    _Context = StageContext[BackendSettings]

_FAKE = "fake"


class NoBackend:
    """A backend of every stage, which hands its requests back."""

    needs_device: ClassVar[bool] = True
    settings_type: ClassVar[type[BackendSettings]] = NoBackendSettings

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source, self.device, self.revision = model, device, _FAKE

    def load(self) -> None:
        """Nothing to load."""

    def run(self, batch: Sequence[Any], settings: NoBackendSettings) -> Sequence[Any]:
        """The requests themselves."""
        time.sleep(settings.seconds_per_batch)
        return batch

    def unload(self) -> None:
        """Nothing to free."""


class FakeCaptionStage:
    """Captions without reading."""

    needs_store = False
    input_type = CaptionInput
    settings_type = BackendSettings

    def prepare(self, job: CaptionInput, context: _Context) -> PreparedJob[CaptionInput, CaptionInput]:
        """The job's input, as it is."""
        return PreparedJob(job=job, request=job)

    def finish(
        self, prepared: PreparedJob[CaptionInput, CaptionInput], answer: object, context: _Context, *, revision: str
    ) -> CaptionRecord:
        """A caption that names the job."""
        job = prepared.job
        return CaptionRecord(job_id=job.job_id, text=f"caption of {job.key}", model=_FAKE, revision=_FAKE)


class FakePromptStage:
    """Prompts without reading."""

    needs_store = False
    input_type = PromptInput
    settings_type = BackendSettings

    def prepare(self, job: PromptInput, context: _Context) -> PreparedJob[PromptInput, PromptInput]:
        """The job's input, as it is."""
        return PreparedJob(job=job, request=job)

    def finish(self, prepared: PreparedJob[PromptInput, PromptInput], answer: object, context: _Context, *, revision: str) -> PromptRecord:
        """A prompt that names the job."""
        job = prepared.job
        text = f"prompt of {job.key}"
        return PromptRecord(job_id=job.job_id, draft=text, text=text, draft_tokens=4, tokens=4, brief=_FAKE, model=_FAKE, revision=_FAKE)


class FakeGenerateStage:
    """Repaints without an image."""

    needs_store = False
    input_type = RepaintInput
    settings_type = BackendSettings

    def prepare(self, job: RepaintInput, context: _Context) -> PreparedJob[RepaintInput, RepaintInput]:
        """The job's input, as it is."""
        return PreparedJob(job=job, request=job)

    def finish(
        self, prepared: PreparedJob[RepaintInput, RepaintInput], answer: object, context: _Context, *, revision: str
    ) -> RepaintRecord:
        """A repaint whose hash follows from the job and that is not in the store."""
        job = prepared.job
        name = hashlib.sha256(f"{job.key} {job.level} {job.seed}".encode()).hexdigest()
        return RepaintRecord(
            job_id=job.job_id,
            prompt_id=job.prompt_id,
            content_hash=name,
            pixel_hash=name,
            format="none",
            byte_size=0,
            width=1,
            height=1,
            content_box=(0, 0, 1, 1),
            provenance={},
            seed=job.seed,
        )


class FakeRecaptionStage:
    """Captions of repaints without reading."""

    needs_store = False
    input_type = RecaptionInput
    settings_type = BackendSettings

    def prepare(self, job: RecaptionInput, context: _Context) -> PreparedJob[RecaptionInput, RecaptionInput]:
        """The job's input, as it is."""
        return PreparedJob(job=job, request=job)

    def finish(
        self, prepared: PreparedJob[RecaptionInput, RecaptionInput], answer: object, context: _Context, *, revision: str
    ) -> CaptionRecord:
        """A caption that names the job."""
        job = prepared.job
        return CaptionRecord(job_id=job.job_id, text=f"recaption of {job.key}", model=_FAKE, revision=_FAKE, image_id=job.image_id)


FAKE_STAGE_RUNNERS: Mapping[Stage, BatchRunner] = {
    Stage.CAPTION: StageRunner(FakeCaptionStage()),
    Stage.PROMPT: StageRunner(FakePromptStage()),
    Stage.GENERATE: StageRunner(FakeGenerateStage()),
    Stage.RECAPTION: StageRunner(FakeRecaptionStage()),
}
