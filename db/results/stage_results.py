"""What a stage makes of each job: a result or a failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.enums import FailureKind


@dataclass(frozen=True, kw_only=True)
class CaptionRecord:
    """A sentence about an original, or about the repaint `image_id`."""

    job_id: int
    text: str
    model: str
    revision: str
    image_id: int | None = None
    #: The blob of the picture; None where it is not known.
    content_hash: str | None = None
    #: The caption of which it is a copy, of the same picture by the same model; None if it was made now.
    reused_from: int | None = None


@dataclass(frozen=True, kw_only=True)
class PromptRecord:
    """A prompt within its token limit, with the draft it came from."""

    job_id: int
    draft: str
    text: str
    draft_tokens: int
    tokens: int
    brief: str
    model: str
    revision: str
    #: How a language model came to it, with `writer`, `asked`, `faults`, `condensed` and `fallback`; None where no model was asked.
    writing: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class RepaintRecord:
    """A repaint that lies in the store already."""

    job_id: int
    prompt_id: int
    content_hash: str
    pixel_hash: str
    format: str
    byte_size: int
    width: int
    height: int
    #: Left, top, right, bottom of the original on the canvas, in pixels.
    content_box: tuple[int, int, int, int]
    provenance: dict[str, Any]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One job that could not be done, with its kind and one line of cause."""

    job_id: int
    kind: FailureKind
    error: str


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What it took: seconds of device or stage time for one job (None if nothing was computed), and how many jobs ran together."""

    seconds: float | None
    batch_size: int
    #: Seconds since the batch began on the device; None if it did not.
    since_start: float | None = None


Result = CaptionRecord | PromptRecord | RepaintRecord
