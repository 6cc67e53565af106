"""The fine-tuning loop: steps over batches of image pairs, on one device or, started by `accelerate launch`, on several.

Every process computes its share of a batch and, after gathering all vectors with their gradients, the loss over the whole batch: a pair has
all others of the batch as its negatives, however many devices there are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch.optim import AdamW

from trainer.errors import BadCheckpoint, NothingToTrainOn
from trainer.finetune.checkpoint import (
    FINETUNE_CHECKPOINT,
    FinetuneCheckpoint,
    load_finetune_checkpoint,
    save_finetune_checkpoint,
)
from trainer.fit.checkpoint import optimizer_state
from trainer.losses.infonce_both import InfoNceBothLoss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from trainer.data.embeddings import ImageReference
    from trainer.finetune.config import FinetuneConfig
    from trainer.finetune.pairs import PicturePairBatches
    from trainer.finetune.tower import ImageTower

#: Steps between two checkpoints.
CHECKPOINT_EVERY = 100
#: Gradients are scaled down to this length.
_LARGEST_GRADIENT = 1.0


class AheadReader(Protocol):
    """Reads pictures while the device works."""

    def ahead(self, references: Sequence[ImageReference]) -> Callable[[], list[Image]]:
        """Begin to read; the call gives the RGB images."""
        ...


class FinetuneLoop:
    """One fine-tuning of an image tower.

    Raises `NothingToTrainOn` if a batch cannot be divided among the processes.
    """

    def __init__(
        self,
        config: FinetuneConfig,
        *,
        tower: ImageTower,
        batches: PicturePairBatches,
        reader: AheadReader,
        prepare: Callable[[list[Image]], Tensor],
        directory: Path,
        device: str = "cpu",
    ) -> None:
        """`prepare` is CLIP's own processor: images to pixels."""
        from accelerate import Accelerator

        mixed = "bf16" if device.startswith("cuda") and torch.cuda.is_bf16_supported() else "no"
        self._accelerator = Accelerator(mixed_precision=mixed, cpu=device == "cpu")
        self._config, self._batches, self._reader, self._prepare = config, batches, reader, prepare
        self._checkpoint = directory / FINETUNE_CHECKPOINT
        self._fingerprint = config.fingerprint(batches.content_hash)
        self._plain = tower
        parameters = list(tower.trainable().values())
        optimizer = AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
        self._tower, self._optimizer = self._accelerator.prepare(tower, optimizer)
        self._losses: list[float] = []

    @property
    def losses(self) -> list[float]:
        """The loss of each step done."""
        return list(self._losses)

    @property
    def is_main(self) -> bool:
        """Whether this process writes: the first of all."""
        return bool(self._accelerator.is_main_process)

    def resume(self) -> bool:
        """Continue from the checkpoint; False if there is none. Raises `BadCheckpoint` if it belongs to another fine-tuning."""
        if not self._checkpoint.exists():
            return False
        saved = load_finetune_checkpoint(self._checkpoint)
        if saved.fingerprint != self._fingerprint:
            raise BadCheckpoint(f"{self._checkpoint} belongs to a fine-tuning with other parameters or pairs: start anew with --fresh")
        try:
            self._plain.load_trainable(saved.weights)
            self._optimizer.load_state_dict(saved.optimizer)
        except (RuntimeError, ValueError, KeyError):
            raise BadCheckpoint(f"{self._checkpoint} does not fit this model: start anew with --fresh") from None
        self._losses = saved.losses
        return True

    def run(self, on_step: Callable[[int, float], None] | None = None) -> None:
        """Train to the end; `on_step` is called with each step's number, counted from 1, and its loss."""
        self._tower.train()
        pending = self._begin_reading(len(self._losses))
        for step in range(len(self._losses), self._config.steps):
            pictures = pending()
            pending = self._begin_reading(step + 1)
            self._losses.append(self._step(step, pictures))
            done = step + 1
            if self.is_main and (done % CHECKPOINT_EVERY == 0 or done == self._config.steps):
                save_finetune_checkpoint(self._checkpoint, self._snapshot())
            if on_step is not None:
                on_step(done, self._losses[-1])
        self._accelerator.wait_for_everyone()

    def _begin_reading(self, step: int) -> Callable[[], list[Image]]:
        """This process' share of a step's pictures: its originals, then their repaints."""
        if step >= self._config.steps:
            return list
        pairs, count = self._batches.batch(step), self._accelerator.num_processes
        if len(pairs) % count:
            raise NothingToTrainOn(f"batches of {len(pairs)} pairs cannot be divided among {count} processes: choose another --batch")
        mine = pairs[self._accelerator.process_index :: count]
        return self._reader.ahead([*(pair.original for pair in mine), *(pair.repaint for pair in mine)])

    def _step(self, step: int, pictures: list[Image]) -> float:
        torch.manual_seed(int(np.random.SeedSequence([self._config.seed, step]).generate_state(1)[0]))
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.learning_rate * schedule(step, self._config)
        pixels = self._prepare(pictures).to(self._accelerator.device)
        with self._accelerator.autocast():
            originals, repaints = self._tower(pixels).chunk(2)
        loss = InfoNceBothLoss()(self._gathered(originals), self._gathered(repaints), self._config.temperature)
        self._optimizer.zero_grad(set_to_none=True)
        self._accelerator.backward(loss)
        self._accelerator.clip_grad_norm_(self._plain.trainable().values(), _LARGEST_GRADIENT)
        self._optimizer.step()
        return float(loss.detach())

    def _gathered(self, vectors: Tensor) -> Tensor:
        """The vectors of all processes, in float32, with gradients into each."""
        if self._accelerator.num_processes == 1:
            return vectors.float()
        from torch.distributed.nn.functional import all_gather

        # Each process' loss is over all vectors; gathering adds up their gradients and DDP takes the mean, so the sum comes out right.
        return torch.cat(list(all_gather(vectors.float())))  # type: ignore[no-untyped-call]

    def _snapshot(self) -> FinetuneCheckpoint:
        inner: Any = getattr(self._optimizer, "optimizer", self._optimizer)
        return FinetuneCheckpoint(
            fingerprint=self._fingerprint, losses=self._losses, weights=dict(self._plain.trainable()), optimizer=optimizer_state(inner)
        )


def schedule(step: int, config: FinetuneConfig) -> float:
    """The share of the learning rate at a step counted from 0: a line up over `warmup` steps, then half a cosine down to 0."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    return 0.5 * (1 + math.cos(math.pi * (step - config.warmup) / max(1, config.steps - config.warmup)))
