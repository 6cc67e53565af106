"""One process of a fine-tuning, as `accelerate launch` starts several: `python -m tests.integration.trainer.finetune_process CLIP OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import AutoImageProcessor, CLIPModel

from tests.integration.trainer.test_finetuning import TRAINED, PaintedPictures
from trainer.finetune.config import FinetuneConfig, FinetuneMethod
from trainer.finetune.loop import FinetuneLoop
from trainer.finetune.pairs import PicturePairBatches
from trainer.finetune.tower import ImageTower

CONFIG = FinetuneConfig(method=FinetuneMethod.BLOCKS, steps=3, batch_size=8, blocks=1, learning_rate=1e-3, warmup=0)


def fine_tune(clip: Path, out: Path) -> FinetuneLoop:
    """Run it to its end."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    painted = PaintedPictures(TRAINED)
    processor = AutoImageProcessor.from_pretrained(clip, backend="pil", local_files_only=True)
    loop = FinetuneLoop(
        CONFIG,
        tower=ImageTower(CLIPModel.from_pretrained(clip, local_files_only=True), CONFIG),
        batches=PicturePairBatches(painted.pairs, batch_size=CONFIG.batch_size, seed=CONFIG.seed),
        reader=painted,
        prepare=lambda images: processor(images=images, return_tensors="pt")["pixel_values"],
        directory=out,
    )
    loop.run()
    return loop


if __name__ == "__main__":
    fine_tune(Path(sys.argv[1]), Path(sys.argv[2]))
