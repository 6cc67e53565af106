"""Tiny random models of the real classes, saved as safetensors: tests and the demo run the real backends without a network.

Nothing here was trained. Captions are random plain words, embeddings random projections. Repaints show the original under coarse noise,
because the autoencoder's weights are set and not drawn (`workers.backends.tiny_autoencoder`): drawn ones decode everything to one grey.
For one seed and one set of library versions the files are equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLImg2ImgPipeline, UNet2DConditionModel
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    GenerationConfig,
    PreTrainedTokenizerFast,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.utils import logging

from workers.backends.tiny_autoencoder import see_through_autoencoder
from workers.backends.tiny_words import CAPTION_WORDS, clip_tokenizer, word_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Side of the canvas, in pixels.
SIZE = 64

#: The content of `models.json`: how these models want to be run. At either level at least two steps are taken.
RECOMMENDED: Mapping[str, Any] = {
    "description": "tiny random models of the real classes: for tests, they cannot paint",
    "trained": False,
    "image": {"size": SIZE},
    "captioner": {"max_new_tokens": 12},
    "levels": {
        "moderate": {"model": "refiner", "steps": 8, "strength": 0.3, "guidance": 7.5},
        "radical": {"model": "refiner", "steps": 8, "strength": 0.45, "guidance": 7.5},
    },
    "clip": {},
}

_WIDTH = 64
_QUERY_TOKENS = 4

#: Drawn wider than usual: at 0.02 every image would get one and the same caption.
_CAPTIONER_RANGE = 0.3


def build_tiny_models(directory: str | Path, seed: int = 0) -> Path:
    """Write `captioner/`, `refiner/`, `clip/` and `models.json` under `directory` and return it: a few MB in a few seconds.

    The global random state of torch is left as it was.
    """
    logging.disable_progress_bar()
    root = Path(directory)
    root.mkdir(parents=True, exist_ok=True)
    tokenizer = clip_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _save_captioner(root / "captioner")
        _save_refiner(root / "refiner", tokenizer)
        _save_clip(root / "clip", tokenizer)
    (root / "models.json").write_text(json.dumps(RECOMMENDED, indent=2) + "\n")
    return root


def _save_captioner(directory: Path) -> None:
    tokenizer = word_tokenizer(CAPTION_WORDS)
    model = Blip2ForConditionalGeneration(_captioner_config(tokenizer))
    torch.nn.init.normal_(model.query_tokens)  # zero until somebody trains them
    words = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        max_new_tokens=RECOMMENDED["captioner"]["max_new_tokens"],
        min_new_tokens=4,
        no_repeat_ngram_size=1,
        suppress_tokens=[index for index in tokenizer.all_special_ids if index != tokenizer.eos_token_id],
    )
    model.generation_config = words
    model.language_model.generation_config = words
    model.eval().save_pretrained(directory)
    size = {"height": SIZE, "width": SIZE}
    Blip2Processor(BlipImageProcessorPil(size=size), tokenizer, num_query_tokens=_QUERY_TOKENS).save_pretrained(directory)


def _captioner_config(tokenizer: PreTrainedTokenizerFast) -> Blip2Config:
    ids = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    layers = {"num_hidden_layers": 2, "num_attention_heads": 4, "initializer_range": _CAPTIONER_RANGE}
    sizes = {"hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH, **layers}
    return Blip2Config(
        vision_config={"image_size": SIZE, "patch_size": 16, **sizes},
        qformer_config={"vocab_size": len(tokenizer), **sizes},
        text_config={
            "model_type": "opt",
            "vocab_size": len(tokenizer),
            "hidden_size": _WIDTH,
            "word_embed_proj_dim": _WIDTH,
            "ffn_dim": 2 * _WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 128,
            "init_std": _CAPTIONER_RANGE,
            **ids,
        },
        num_query_tokens=_QUERY_TOKENS,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        initializer_range=_CAPTIONER_RANGE,
    )


def _save_refiner(directory: Path, tokenizer: CLIPTokenizer) -> None:
    text_encoder = CLIPTextModelWithProjection(CLIPTextConfig(**_text_sizes(tokenizer), projection_dim=_WIDTH))
    time_width = 16
    unet = UNet2DConditionModel(
        sample_size=SIZE // 2,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        cross_attention_dim=_WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=time_width,
        projection_class_embeddings_input_dim=5 * time_width + _WIDTH,  # the refiner's five numbers, and the pooled text
    )
    pipeline = StableDiffusionXLImg2ImgPipeline(
        vae=see_through_autoencoder(SIZE),
        text_encoder=None,
        text_encoder_2=text_encoder.eval(),
        tokenizer=None,
        tokenizer_2=tokenizer,
        unet=unet.eval(),
        scheduler=EulerDiscreteScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1, timestep_spacing="leading"
        ),
        requires_aesthetics_score=True,
        force_zeros_for_empty_prompt=False,
        add_watermarker=False,
    )
    pipeline.save_pretrained(directory, safe_serialization=True)


def _save_clip(directory: Path, tokenizer: CLIPTokenizer) -> None:
    """The projection is as wide as the trainer's head takes it: 512."""
    vision = {
        "image_size": SIZE,
        "patch_size": 8,
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    model = CLIPModel(CLIPConfig(text_config=_text_sizes(tokenizer), vision_config=vision, projection_dim=512))
    model.eval().save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}).save_pretrained(directory)


def _text_sizes(tokenizer: CLIPTokenizer) -> dict[str, Any]:
    # The text encoder pools at the end token, which it finds by its id; 2 would select a legacy way of looking for it.
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": tokenizer.model_max_length,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
