"""The image tower of a CLIP with its last blocks made trainable: by low-rank matrices beside their weights, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from trainer.errors import PretrainedModelUnavailable
from trainer.finetune.config import FinetuneMethod

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from trainer.finetune.config import FinetuneConfig

#: Linear layers of a block of CLIP's image tower.
_LINEAR = r"(self_attn\.(q_proj|k_proj|v_proj|out_proj)|mlp\.(fc1|fc2))"


class ImageTower(nn.Module):
    """Pixels to unit vectors, (N, projection); only what a fine-tuning changes has gradients."""

    def __init__(self, clip: Any, config: FinetuneConfig) -> None:
        """`clip` is a `CLIPModel`; its text tower stays as it is."""
        super().__init__()
        clip.requires_grad_(requires_grad=False)
        layers = clip.vision_model.encoder.layers
        first = max(0, len(layers) - config.blocks)
        self._lora = config.method is FinetuneMethod.LORA
        if self._lora:
            self.clip = _with_lora(clip, range(first, len(layers)), config)
        else:
            for part in (*layers[first:], clip.vision_model.post_layernorm, clip.visual_projection):
                part.requires_grad_(requires_grad=True)
            self.clip = clip
        if config.gradient_checkpointing:
            vision = clip.vision_model
            # Renamed within transformers 5.
            enable = getattr(vision, "activation_checkpointing_enable", None) or vision.gradient_checkpointing_enable
            enable({"use_reentrant": False})

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, height, width), as CLIP's own processor makes them, to (N, projection), each row of length 1."""
        vectors: Tensor = self.clip.get_image_features(pixel_values=pixels).pooler_output
        return functional.normalize(vectors.float(), dim=-1)

    def trainable(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}

    def load_trainable(self, tensors: dict[str, Tensor]) -> None:
        """Put trained values in place; raises `KeyError` or `ValueError` if they are of another tower."""
        mine = self.trainable()
        if mine.keys() != tensors.keys():
            raise KeyError(min(mine.keys() ^ tensors.keys()))
        with torch.no_grad():
            for name, parameter in mine.items():
                if parameter.shape != tensors[name].shape:
                    raise ValueError(name)
                parameter.copy_(tensors[name])

    def save(self, directory: Path, prepared_by: Path) -> None:
        """Write a CLIP that loads like any other: LoRA's matrices added to the weights; processor and tokenizer from `prepared_by`."""
        from transformers import AutoImageProcessor, CLIPTokenizer

        merged = self.clip.merge_and_unload() if self._lora else self.clip
        merged.eval().save_pretrained(directory)
        AutoImageProcessor.from_pretrained(prepared_by, backend="pil", local_files_only=True).save_pretrained(directory)
        CLIPTokenizer.from_pretrained(prepared_by, local_files_only=True).save_pretrained(directory)


def _with_lora(clip: Any, blocks: range, config: FinetuneConfig) -> Any:
    try:
        from peft import LoraConfig, LoraModel
    except ModuleNotFoundError:
        raise PretrainedModelUnavailable("fine-tuning by LoRA needs peft: pip install 'paragone[finetune]'") from None
    numbers = "|".join(map(str, blocks))
    targets = rf"(.*\.)?(vision_model\.encoder\.layers\.({numbers})\.{_LINEAR}|visual_projection)"
    # Scaled by alpha / rank = 1; B starts at zero, so the first step starts from the tower as it was.
    return LoraModel(clip, LoraConfig(r=config.rank, lora_alpha=config.rank, target_modules=targets), "default")
