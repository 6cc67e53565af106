"""The captioner: BLIP-2 (Li et al. 2023) in one stage. Its vision encoder is initialised from that of the CLIP trained before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainer.pocket.architecture import new_captioner
from trainer.pocket.pixels import as_tensor, augment
from trainer.pocket.train_loop import fit

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn
    from transformers import Blip2ForConditionalGeneration, CLIPModel, PreTrainedTokenizerFast

    from trainer.pocket.clip import ReconstructedImages
    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import TrainingBudget
    from trainer.pocket.train_loop import TrainContext

_DECODED = 0.15
#: Marks places of the text that are not trained on, as everywhere in PyTorch.
_IGNORED = -100


def train_captioner(
    context: TrainContext,
    budget: TrainingBudget,
    paintings: Paintings,
    decoded: ReconstructedImages,
    *,
    tokenizer: PreTrainedTokenizerFast,
    clip: CLIPModel,
) -> Blip2ForConditionalGeneration:
    """Cross entropy of each next word of the label's caption, after the image's query tokens."""
    torch.manual_seed(context.seed)
    model = new_captioner(tokenizer)
    _copy_vision_tower(model.vision_model, clip.vision_model)
    model = model.to(context.device)
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    queries = [image_token] * model.config.num_query_tokens

    def loss(rng: np.random.Generator, torch_rng: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        places, pixels = decoded.draw(paintings, budget.batch, rng, _DECODED)
        texts = [tokenizer(paintings.labels[place].caption)["input_ids"] for place in places]
        rows = [[*queries, *text, tokenizer.eos_token_id] for text in texts]
        longest = max(len(row) for row in rows)
        tokens = torch.full((budget.batch, longest), tokenizer.pad_token_id)
        labels = torch.full((budget.batch, longest), _IGNORED)
        for place, row in enumerate(rows):
            tokens[place, : len(row)] = torch.tensor(row)
            # After the queries and the beginning.
            labels[place, len(queries) + 1 : len(row)] = torch.tensor(row[len(queries) + 1 :])
        output = model(
            pixel_values=augment(as_tensor(pixels, context.device), torch_rng),
            input_ids=tokens.to(context.device),
            attention_mask=(tokens != tokenizer.pad_token_id).to(context.device),
            labels=labels.to(context.device),
        )
        return output.loss, {}

    fit(context, "captioner", model, budget, loss)
    return model


def _copy_vision_tower(target: nn.Module, clip: nn.Module) -> None:
    """Copy a CLIP vision tower into BLIP-2's: the same layers under other names, queries, keys and values in one matrix."""
    given = clip.state_dict()
    with torch.no_grad():
        for name, parameter in target.named_parameters():
            parameter.copy_(_from_clip(name, given).view_as(parameter))


def _from_clip(name: str, given: dict[str, Tensor]) -> Tensor:
    ends = {
        "embeddings.class_embedding": "embeddings.class_embedding",
        "embeddings.position_embedding": "embeddings.position_embedding.weight",
        "embeddings.patch_embedding.weight": "embeddings.patch_embedding.weight",
        "post_layernorm.weight": "post_layernorm.weight",
        "post_layernorm.bias": "post_layernorm.bias",
    }
    if name in ends:
        return given[ends[name]]
    if name == "embeddings.patch_embedding.bias":  # CLIP has none
        return torch.zeros_like(given["embeddings.class_embedding"])
    if ".qkv." in name:
        return torch.cat([given[name.replace("qkv", layer)] for layer in ("q_proj", "k_proj", "v_proj")])
    return given[name.replace("self_attn.projection", "self_attn.out_proj")]
