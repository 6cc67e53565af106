"""The four stages: each turns a job's facts into a request to a backend, and the backend's answer into a result for the record."""

from __future__ import annotations

from db.enums import Stage
from workers.stages.caption import CaptionStage
from workers.stages.generate import GenerateStage
from workers.stages.prompt import PromptStage
from workers.stages.recaption import RecaptionStage
from workers.stages.stage import Context, Prepared, StageWork

STAGES: dict[Stage, StageWork] = {
    Stage.CAPTION: CaptionStage(),
    Stage.PROMPT: PromptStage(),
    Stage.GENERATE: GenerateStage(),
    Stage.RECAPTION: RecaptionStage(),
}

__all__ = ["STAGES", "Context", "Prepared", "StageWork"]
