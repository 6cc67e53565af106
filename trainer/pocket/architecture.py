"""The models of the pack, in the classes and forms of the production models, a thousand times smaller; with fresh weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    CLIPConfig,
    CLIPModel,
    CLIPTextModelWithProjection,
    GenerationConfig,
)

from trainer.pocket.recipe import SIZE

if TYPE_CHECKING:
    from transformers import CLIPTokenizer, PreTrainedTokenizerFast

#: Width of all transformers.
WIDTH = 128
#: Width of CLIP's shared space: what the trainer's head takes.
SHARED = 512
#: Image pixels to a latent's side; three levels of the autoencoder.
FACTOR = 4
#: Aesthetic scores that the refiner gets with the images that it learns, and with images without a text.
AESTHETIC, NO_AESTHETIC = 6.0, 2.5
MAX_CAPTION = 24

_PATCH = 16
_LAYERS = {"intermediate_size": 3 * WIDTH, "num_attention_heads": 4}
_TIME_WIDTH = 32
_QUERY_TOKENS = 8


def new_clip(tokenizer: CLIPTokenizer) -> CLIPModel:
    """Text side of three layers, vision side of five."""
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "num_hidden_layers": 3,
        "max_position_embeddings": tokenizer.model_max_length,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "hidden_act": "gelu",
        **_LAYERS,
    }
    vision = {"image_size": SIZE, "patch_size": _PATCH, "hidden_size": WIDTH, "num_hidden_layers": 5, "hidden_act": "gelu", **_LAYERS}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=SHARED))


def text_encoder_of(clip: CLIPModel) -> CLIPTextModelWithProjection:
    """CLIP's text side as SDXL's second text encoder, with the same weights."""
    config = clip.config.text_config
    config.projection_dim = SHARED
    encoder = CLIPTextModelWithProjection(config)
    weights = {name: value for name, value in clip.state_dict().items() if name.startswith(("text_model.", "text_projection."))}
    encoder.load_state_dict(weights, strict=False)
    return encoder.eval().requires_grad_(False)


def new_autoencoder() -> AutoencoderKL:
    """Four numbers for each square of 4 x 4 pixels. Its groups for normalisation are wide: narrow ones lose hues."""
    return AutoencoderKL(
        sample_size=SIZE,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 64),
        layers_per_block=1,
        norm_num_groups=2,
        latent_channels=4,
        mid_block_add_attention=False,
        force_upcast=False,
    )


def new_unet() -> UNet2DConditionModel:
    """The refiner's form: text_time conditioning with five numbers (size, crop, aesthetic score) and the pooled text."""
    return UNet2DConditionModel(
        sample_size=SIZE // FACTOR,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64, 128),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(1, 2, 4),
        cross_attention_dim=WIDTH,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=_TIME_WIDTH,
        projection_class_embeddings_input_dim=5 * _TIME_WIDTH + SHARED,
    )


def new_scheduler() -> EulerDiscreteScheduler:
    """SDXL's noise. The network predicts velocity, which keeps an image's overall colour precise at high noise."""
    return EulerDiscreteScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        steps_offset=1,
        timestep_spacing="leading",
        prediction_type="v_prediction",
    )


def new_captioner(tokenizer: PreTrainedTokenizerFast) -> Blip2ForConditionalGeneration:
    """A vision tower shaped like CLIP's, a Q-Former with eight queries, and a small OPT."""
    ids: dict[str, Any] = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    model = Blip2ForConditionalGeneration(
        Blip2Config(
            vision_config={
                "image_size": SIZE,
                "patch_size": _PATCH,
                "hidden_size": WIDTH,
                "num_hidden_layers": 5,
                "hidden_act": "gelu",
                "layer_norm_eps": 1e-5,
                "initializer_range": 0.02,  # the class starts with 1e-10
                **_LAYERS,
            },
            qformer_config={
                "vocab_size": len(tokenizer),
                "hidden_size": WIDTH,
                "num_hidden_layers": 2,
                "cross_attention_frequency": 1,
                "encoder_hidden_size": WIDTH,
                **_LAYERS,
            },
            text_config={
                "model_type": "opt",
                "vocab_size": len(tokenizer),
                "hidden_size": WIDTH,
                "word_embed_proj_dim": WIDTH,
                "ffn_dim": 2 * WIDTH,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "max_position_embeddings": 64,
                "dropout": 0.0,
                **ids,
            },
            num_query_tokens=_QUERY_TOKENS,
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        )
    )
    torch.nn.init.normal_(model.query_tokens, std=0.02)  # they start as zeros, all equal
    words = GenerationConfig(max_new_tokens=MAX_CAPTION, **ids)
    model.generation_config = words
    model.language_model.generation_config = words
    return model
