"""The captioner: BLIP-2 (Li et al. 2023) in one stage. It begins with the eyes of the CLIP that was trained before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainer.pocket.architecture import new_captioner
from trainer.pocket.fitting import fit
from trainer.pocket.pixels import as_tensor, worn

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn
    from transformers import Blip2ForConditionalGeneration, CLIPModel, PreTrainedTokenizerFast

    from trainer.pocket.contrast import Decoded
    from trainer.pocket.fitting import Bench
    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import Part

_DECODED = 0.15
#: Marks places of the text that are not learnt, as everywhere in PyTorch.
_IGNORED = -100


def train_captioner(
    bench: Bench, part: Part, paintings: Paintings, decoded: Decoded, *, tokenizer: PreTrainedTokenizerFast, clip: CLIPModel
) -> Blip2ForConditionalGeneration:
    """Each next word of the painter's caption, after the picture's query tokens."""
    torch.manual_seed(bench.seed)
    model = new_captioner(tokenizer)
    _take_eyes(model.vision_model, clip.vision_model)
    model = model.to(bench.device)
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    queries = [image_token] * model.config.num_query_tokens

    def loss(rng: np.random.Generator, dice: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        places, pixels = decoded.draw(paintings, part.batch, rng, _DECODED)
        texts = [tokenizer(paintings.truths[place].caption)["input_ids"] for place in places]
        rows = [[*queries, *text, tokenizer.eos_token_id] for text in texts]
        longest = max(len(row) for row in rows)
        tokens = torch.full((part.batch, longest), tokenizer.pad_token_id)
        labels = torch.full((part.batch, longest), _IGNORED)
        for place, row in enumerate(rows):
            tokens[place, : len(row)] = torch.tensor(row)
            # After the queries and the beginning.
            labels[place, len(queries) + 1 : len(row)] = torch.tensor(row[len(queries) + 1 :])
        said = model(
            pixel_values=worn(as_tensor(pixels, bench.device), dice),
            input_ids=tokens.to(bench.device),
            attention_mask=(tokens != tokenizer.pad_token_id).to(bench.device),
            labels=labels.to(bench.device),
        )
        return said.loss, {}

    fit(bench, "captioner", model, part, loss)
    return model


def _take_eyes(mine: nn.Module, clip: nn.Module) -> None:
    """Copy a CLIP vision tower into BLIP-2's: the same layers under other names, queries, keys and values in one matrix."""
    given = clip.state_dict()
    with torch.no_grad():
        for name, parameter in mine.named_parameters():
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
        return torch.cat([given[name.replace("qkv", part)] for part in ("q_proj", "k_proj", "v_proj")])
    return given[name.replace("self_attn.projection", "self_attn.out_proj")]
