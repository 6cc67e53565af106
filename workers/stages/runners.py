"""Who runs the batches of each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import Stage
from workers.batches.batch_run import StageRunner
from workers.stages.caption import CaptionStage
from workers.stages.generate import GenerateStage
from workers.stages.prompt import PromptStage
from workers.stages.recaption import RecaptionStage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.worker_context import BatchRunner

STAGE_RUNNERS: Mapping[Stage, BatchRunner] = {
    Stage.CAPTION: StageRunner(CaptionStage()),
    Stage.PROMPT: StageRunner(PromptStage()),
    Stage.GENERATE: StageRunner(GenerateStage()),
    Stage.RECAPTION: StageRunner(RecaptionStage()),
}
