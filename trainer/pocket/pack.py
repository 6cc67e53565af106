"""The pack: the trained models in half precision, with their processors, in the layout that `--models` reads."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from diffusers import StableDiffusionXLImg2ImgPipeline
from transformers import Blip2Processor
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.utils import logging

from trainer.pocket.architecture import MAX_CAPTION, new_scheduler, text_encoder_of
from trainer.pocket.pixels import MEAN, STD
from trainer.pocket.recipe import SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import Blip2ForConditionalGeneration, CLIPModel, CLIPTokenizer, PreTrainedTokenizerFast

#: The content of `models.json`: settings for campaigns. Strength and guidance were chosen on paintings of a separate seed.
PACK_FACTS: dict[str, Any] = {
    "description": "small models of the production classes, trained on paintings that Paragone paints itself",
    "image": {"size": SIZE},
    "captioner": {"max_new_tokens": MAX_CAPTION},
    "prompt": {"target_tokens": 36},
    "levels": {
        "moderate": {"model": "refiner", "steps": 25, "strength": 0.3, "guidance": 2.0},
        "radical": {"model": "refiner", "steps": 25, "strength": 0.8, "guidance": 3.0, "brief": "restyle"},
    },
    "clip": {},
}

_SQUARE = {"height": SIZE, "width": SIZE}
_PIXELS: dict[str, Any] = {"size": _SQUARE, "image_mean": [MEAN] * 3, "image_std": [STD] * 3}


def write_clip(directory: Path, model: CLIPModel, tokenizer: CLIPTokenizer) -> None:
    """CLIPModel + CLIPProcessor. Images are scaled to the square, not cropped: nothing of a wide one is lost."""
    _begin(directory)
    model.half().save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    CLIPImageProcessorPil(do_center_crop=False, **_PIXELS).save_pretrained(directory)
    model.float()


def write_captioner(directory: Path, model: Blip2ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
    """Blip2ForConditionalGeneration + Blip2Processor."""
    _begin(directory)
    model.half().save_pretrained(directory)
    processor = Blip2Processor(BlipImageProcessorPil(**_PIXELS), tokenizer, num_query_tokens=model.config.num_query_tokens)
    processor.save_pretrained(directory)
    model.float()


def write_refiner(
    directory: Path, autoencoder: AutoencoderKL, unet: UNet2DConditionModel, clip: CLIPModel, tokenizer: CLIPTokenizer
) -> None:
    """StableDiffusionXLImg2ImgPipeline in the refiner's form: the second text encoder alone, with aesthetic scores."""
    _begin(directory)
    pipeline = StableDiffusionXLImg2ImgPipeline(
        vae=autoencoder,
        text_encoder=None,
        text_encoder_2=text_encoder_of(clip),
        tokenizer=None,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=new_scheduler(),
        requires_aesthetics_score=True,
        force_zeros_for_empty_prompt=False,
        add_watermarker=False,
    )
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder_2):
        part.half()
    pipeline.save_pretrained(directory, safe_serialization=True)
    for part in (autoencoder, unet):
        part.float()


def write_pack_facts(directory: Path, *, trained: bool) -> None:
    """`models.json`; last, because with it the pack is complete."""
    (directory / "models.json").write_text(json.dumps({**PACK_FACTS, "trained": trained}, indent=2) + "\n", encoding="utf-8")


def megabytes(directory: Path) -> float:
    """Size of all files under a directory, in millions of bytes."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e6


def _begin(directory: Path) -> None:
    logging.disable_progress_bar()
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
