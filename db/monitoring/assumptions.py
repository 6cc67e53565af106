"""What jobs and repaints are taken to cost where nothing like them was measured; every forecast says where it rests on these.

Seconds are those of an NVIDIA A100 with diffusers and transformers as they come, in bfloat16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.enums import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds of one denoising step with guidance at 1024 x 1024: diffusers publishes 3.32 s for 30 steps of SDXL.
SECONDS_PER_STEP = 0.11
#: Pixels for which that is so; steps, encoding and decoding go with the pixels.
STEP_PIXELS = 1024**2
#: Seconds to encode an original to latents and decode a repaint, together as much as two steps.
SECONDS_PER_PASS = 2 * SECONDS_PER_STEP
#: Seconds of a caption by a model of BLIP-2's size in batches of 8.
SECONDS_PER_CAPTION = 0.1
#: Seconds of a prompt that a language model writes.
SECONDS_PER_PROMPT = 1.0
#: Backends that write prompts without a GPU.
WITHOUT_GPU = frozenset({"compose", "fake-prompt"})

#: Bytes of a pixel in a finely textured painting at 1024 px and quality 95: the most that any of 14 museum paintings took.
BYTES_PER_PIXEL = {"jpeg": 0.6, "png": 0.95, "webp": 0.32}
#: Bytes of a file beside its pixels: headers, and the facts of its making.
BYTES_PER_FILE = 1500
#: Share of the square canvas that an original covers: the mean of those paintings.
CONTENT_SHARE = 0.77


def assumed_seconds(stage: Stage, parameters: Mapping[str, Any]) -> float:
    """Seconds of a GPU for one job whose batch key has these parameters."""
    if stage is Stage.PROMPT:
        return 0.0 if parameters["backend"] in WITHOUT_GPU else SECONDS_PER_PROMPT
    if stage is not Stage.GENERATE:
        return SECONDS_PER_CAPTION
    settings = parameters["settings"]
    run = int(settings.get("steps", 1) * settings.get("strength", 1.0))
    return float((SECONDS_PER_PASS + run * SECONDS_PER_STEP) * parameters["picture"]["size"] ** 2 / STEP_PIXELS)


def assumption_of(stage: Stage) -> str:
    """The assumption in words."""
    if stage is Stage.PROMPT:
        return f"{SECONDS_PER_PROMPT:g} s a prompt, none where no model writes it"
    if stage is Stage.GENERATE:
        return f"{SECONDS_PER_STEP:g} s a step of 1024 px on an A100"
    return f"{SECONDS_PER_CAPTION:g} s a caption on an A100"
