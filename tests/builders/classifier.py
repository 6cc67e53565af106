"""Image classifiers of a real class whose answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import ViTConfig, ViTForImageClassification
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

if TYPE_CHECKING:
    from pathlib import Path

_SMALL = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8, "image_size": 32, "patch_size": 16}


def saved_classifier(folder: Path, logits: dict[str, float], **config: Any) -> Path:
    """A model that gives each label this logit, whatever the image."""
    labels = dict(enumerate(logits))
    names = {"id2label": labels, "label2id": {name: number for number, name in labels.items()}}
    model = ViTForImageClassification(ViTConfig(**_SMALL, **names, **config))
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor(list(logits.values())))
    model.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
