"""Captions by BLIP-2: `Blip2ForConditionalGeneration`, greedy or by beams, without sampling, so an image has one caption."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from transformers import AutoImageProcessor, AutoTokenizer, Blip2ForConditionalGeneration, Blip2Processor

from workers.backends.devices import choose_dtype, device_errors, release
from workers.backends.protocol import CaptionRequest, CaptionResult, ModelSource
from workers.backends.settings.blip2 import Blip2Settings
from workers.backends.sources import TRANSFORMERS_FILES, loading, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.backends.settings.base import BackendSettings


class Blip2Captioner:
    """Describes images in a sentence."""

    needs_device: ClassVar[bool] = True
    settings_type: ClassVar[type[BackendSettings]] = Blip2Settings

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        self.revision = ""
        self._model: Any = None
        self._processor: Any = None

    def load(self) -> None:
        """Bring model and processor onto the device. Raises `ModelUnavailable` or `OutOfMemory`."""
        found = resolve(self.source, TRANSFORMERS_FILES)
        dtype = choose_dtype(self.source, self.device)
        local = {"local_files_only": True}
        with loading(self.source), device_errors():
            model = Blip2ForConditionalGeneration.from_pretrained(found.directory, dtype=dtype, use_safetensors=True, **local)
            # Without num_query_tokens a prompted call silently ignores the image; old processors do not have it.
            self._processor = Blip2Processor(
                image_processor=AutoImageProcessor.from_pretrained(found.directory, backend="pil", **local),
                tokenizer=AutoTokenizer.from_pretrained(found.directory, padding_side="right", **local),
                num_query_tokens=model.config.num_query_tokens,
            )
            self._model = model.to(self.device).eval()
        self.revision = found.revision

    def run(self, batch: Sequence[CaptionRequest], settings: Blip2Settings) -> Sequence[CaptionResult]:
        """One caption for each image. Raises `OutOfMemory` or `TransientFailure`."""
        prompt = " ".join(settings.prompt.split())
        options = {"max_new_tokens": settings.max_new_tokens, "num_beams": settings.num_beams, "do_sample": False}
        if not batch:
            return []
        with device_errors():
            return [CaptionResult(text=_without_echo(text, prompt)) for text in self._describe(batch, prompt, options)]

    def unload(self) -> None:
        """Free the device."""
        self._model = self._processor = None
        release()

    def _describe(self, batch: Sequence[CaptionRequest], prompt: str, options: dict[str, Any]) -> list[str]:
        images = [request.image for request in batch]
        # All rows have the one prompt, so that none is padded.
        texts = [prompt] * len(batch) if prompt else None
        inputs = self._processor(images=images, text=texts, return_tensors="pt").to(self.device)
        inputs["pixel_values"] = inputs["pixel_values"].to(self._model.dtype)
        # The language model inside would otherwise generate by defaults of its own, not by the model's generation_config.json.
        generation = copy.deepcopy(self._model.generation_config)
        generation.update(**options)
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, generation_config=generation)
        decoded: list[str] = self._processor.batch_decode(tokens, skip_special_tokens=True)
        return decoded


def _without_echo(text: str, prompt: str) -> str:
    """What follows the prompt, which models without an encoder repeat, on one line."""
    line = " ".join(text.split())
    if prompt and line.lower().startswith(prompt.lower()):
        line = line[len(prompt) :]
    return line.strip()
