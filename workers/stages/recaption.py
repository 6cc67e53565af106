"""Recaption: the same for the repaint, whose id the caption keeps."""

from __future__ import annotations

from workers.stages.caption import CaptionStage


class RecaptionStage(CaptionStage):
    """Describes the repaint of a job: its facts name the repaint's blob and id instead of the original's."""
