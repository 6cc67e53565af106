"""Repaints of held-out paintings as a campaign would make them: prompts by the prompt writer, images by the SDXL backend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from db.campaigns.configuration import PromptConfig
from db.images import ContentBox, crop
from trainer.model_sources import best_device
from trainer.pocket.pack import PACK_FACTS
from workers.backends import ModelSource, PromptRequest, RepaintRequest
from workers.backends.compose import ComposedPrompts
from workers.backends.sdxl import SdxlImg2Img
from workers.backends.settings import ComposeSettings, Img2ImgSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trainer.pocket.paintings import PaintingLabel, Paintings

_BATCH = 8
_STYLE = re.compile(r"in the manner of ([^,]+)")
_PALETTE = re.compile(r"in ([^,]+) colours")


@dataclass(frozen=True, kw_only=True)
class SampleRepaint:
    """A repaint without bars, its prompt, and the style and palette that the prompt asks for ("" for none)."""

    image: Image.Image
    prompt: str
    style: str
    palette: str


def repaint(pack: Path, level: str, paintings: Paintings, **changed: Any) -> list[SampleRepaint]:
    """One repaint of each painting at a level of the pack; `changed` settings of the generator, such as the strength, win."""
    advice = {**PACK_FACTS["levels"][level], **changed}
    source = ModelSource(location=str(pack / "refiner"))
    prompts = _prompts(source, level, advice.get("brief", level), paintings.labels)
    generator = SdxlImg2Img(model=source, device=best_device())
    generator.load()
    settings = Img2ImgSettings(**{name: advice[name] for name in ("steps", "strength", "guidance")})
    done: list[SampleRepaint] = []
    for start in range(0, len(paintings), _BATCH):
        places = range(start, min(start + _BATCH, len(paintings)))
        requests = [RepaintRequest(image=Image.fromarray(paintings.canvases[place]), prompt=prompts[place], seed=place) for place in places]
        for place, result in zip(places, generator.run(requests, settings), strict=True):
            # A model that gives NaN counts as a grey image here, which scores badly.
            image = result.image or Image.new("RGB", requests[0].image.size, "grey")
            done.append(_repainted(crop(image, ContentBox.from_json(list(paintings.boxes[place]))), prompts[place], level))
    return done


def _prompts(source: ModelSource, level: str, brief: str, labels: Sequence[PaintingLabel]) -> list[str]:
    writer = ComposedPrompts(model=source, device="cpu")
    writer.load()
    requests = [
        PromptRequest(caption=label.caption, style=label.style, artist=label.artist, title="", level=level, seed=seed)
        for seed, label in enumerate(labels)
    ]
    limits = PromptConfig(**PACK_FACTS["prompt"])
    settings = ComposeSettings(max_tokens=limits.max_tokens, target_tokens=limits.target_tokens, brief_set=(brief,))
    return [result.text for result in writer.run(requests, settings)]


def prompted_style_and_palette(prompt: str) -> tuple[str, str]:
    """The style and the palette that a prompt of the restyling briefs names; "" for none."""
    style, palette = _STYLE.search(prompt), _PALETTE.search(prompt)
    return style[1] if style else "", palette[1] if palette else ""


def _repainted(image: Image.Image, prompt: str, level: str) -> SampleRepaint:
    """Only the level that restyles has style and palette of its own: the other's prompt names the original's style."""
    style, palette = prompted_style_and_palette(prompt) if PACK_FACTS["levels"][level].get("brief") == "restyle" else ("", "")
    return SampleRepaint(image=image, prompt=prompt, style=style, palette=palette)
