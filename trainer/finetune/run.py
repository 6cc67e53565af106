"""One fine-tuning from a campaign's pairs to a CLIP that `paragone train --clip` takes, judged on artworks that it never saw."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db.training import Split
from trainer.data.dataset import embed_pairs
from trainer.errors import BadCheckpoint
from trainer.finetune.checkpoint import FINETUNE_CHECKPOINT
from trainer.finetune.loop import FinetuneLoop
from trainer.finetune.pairs import PicturePairBatches, PictureReader, picture_pairs
from trainer.finetune.retrieval import first_places
from trainer.finetune.seen import RECORD, SEEN
from trainer.finetune.tower import ImageTower
from trainer.local_models import portable_location
from trainer.model_sources import CLIP_FOLDER, best_device, clip_source, models_directory
from trainer.training_run import StartMode
from workers.backends.clip import ClipEmbedder
from workers.backends.protocol import ModelSource
from workers.backends.sources import TRANSFORMERS_FILES, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from db.store import Store
    from trainer.data.dataset import EmbeddingDataset
    from trainer.data.pair_source import PairSource
    from trainer.finetune.config import FinetuneConfig
    from trainer.splits import SplitRule


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """What is fine-tuned and where it is written."""

    config: FinetuneConfig
    split: SplitRule
    directory: Path
    start: StartMode = StartMode.AUTO
    #: Hugging Face id or directory; None for the campaign's local CLIP, else the default.
    clip: str | None = None
    #: This host's local models, which replace those that the campaign names.
    models: Path | None = None


@dataclass(frozen=True, kw_only=True)
class FinetuneResult:
    """What a fine-tuning produced."""

    #: The folder of the fine-tuned CLIP.
    clip: Path
    steps: int
    #: Mean loss of the last steps.
    loss: float
    #: R@1 repaint -> original over the test side, by level, of the CLIP as it was.
    before: dict[str, float]
    after: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The contract of `paragone finetune --json`."""
        return {"clip": str(self.clip), "steps": self.steps, "loss": self.loss, "before": self.before, "after": self.after}


def finetune(
    source: PairSource, store: Store, options: FinetuneOptions, *, on_step: Callable[[int, float], None] | None = None
) -> FinetuneResult | None:
    """Fine-tune on the training side alone; None in all processes but the first.

    Raises:
        NothingToTrainOn: there are too few pairs.
        BadCheckpoint: `start` is RESUME and there is no checkpoint that fits.
        PretrainedModelUnavailable, ModelUnavailable: peft is missing, or the CLIP cannot be loaded.
    """
    from accelerate import PartialState

    clip = clip_source(models_directory(source.campaign.config, options.models), options.clip)
    state = PartialState(cpu=best_device() == "cpu")
    device = str(state.device)
    with state.main_process_first():  # the others read what the first has embedded
        frozen = _embedded(source, store, clip, device)
    splits = options.split.assign(frozen, options.config.seed).sides
    trained = {group for group, side in splits.items() if side is Split.TRAIN}
    options.directory.mkdir(parents=True, exist_ok=True)
    files = resolve(clip, TRANSFORMERS_FILES).directory
    reader = PictureReader(source.read_image)
    try:
        tower, prepare = _load(files, options.config, device)
        batches = PicturePairBatches(picture_pairs(source, frozen, trained), batch_size=options.config.batch_size, seed=options.config.seed)
        loop = FinetuneLoop(
            options.config, tower=tower, batches=batches, reader=reader, prepare=prepare, directory=options.directory, device=device
        )
        _start(loop, options)
        loop.run(on_step)
    finally:
        reader.close()
    if not loop.is_main:
        return None
    made = options.directory / CLIP_FOLDER
    _replace(made, lambda scratch: tower.save(scratch, files))
    (options.directory / SEEN).write_text(json.dumps(sorted(trained)), encoding="utf-8")
    tuned = _embedded(source, store, ModelSource(location=str(made), dtype="float32"), device)
    tested = {group for group, side in splits.items() if side is Split.TEST}
    last = loop.losses[-50:]
    result = FinetuneResult(
        clip=made,
        steps=len(loop.losses),
        loss=sum(last) / len(last),
        before=first_places(frozen, tested),
        after=first_places(tuned, tested),
    )
    _record(options, clip, frozen.space.revision, splits, result)
    return result


def _embedded(source: PairSource, store: Store, clip: ModelSource, device: str) -> EmbeddingDataset:
    embedder = ClipEmbedder(model=clip, device=device)
    dataset = embed_pairs(source, store, embedder=embedder, clip=clip)
    embedder.unload()
    return dataset


def _load(files: Path, config: FinetuneConfig, device: str) -> tuple[ImageTower, Callable[[list[Image]], Tensor]]:
    import torch
    from transformers import AutoImageProcessor, CLIPModel

    processor = AutoImageProcessor.from_pretrained(files, backend="pil", local_files_only=True)
    clip = CLIPModel.from_pretrained(files, dtype=torch.float32, use_safetensors=True, local_files_only=True)
    torch.manual_seed(config.seed)  # the first values of LoRA's matrices
    tower = ImageTower(clip, config).to(device)

    def prepare(images: list[Image]) -> Tensor:
        pixels: Tensor = processor(images=images, return_tensors="pt")["pixel_values"]
        return pixels

    return tower, prepare


def _start(loop: FinetuneLoop, options: FinetuneOptions) -> None:
    """Resume as asked; what an earlier fine-tuning left is replaced in the end, not before."""
    if options.start is StartMode.FRESH:
        return
    try:
        resumed = loop.resume()
    except BadCheckpoint:
        if options.start is StartMode.RESUME:
            raise
        return
    if not resumed and options.start is StartMode.RESUME:
        raise BadCheckpoint(f"{options.directory / FINETUNE_CHECKPOINT} is no checkpoint to resume: leave out --resume")


def _replace(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a folder whole or not at all."""
    scratch = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(scratch, ignore_errors=True)
    write(scratch)
    shutil.rmtree(folder, ignore_errors=True)
    scratch.rename(folder)


def _record(options: FinetuneOptions, clip: ModelSource, revision: str, splits: Mapping[str, Split], result: FinetuneResult) -> None:
    record = {
        "base": {"location": portable_location(clip.location, revision), "revision": revision},
        "split": str(options.split),
        "groups": {side.value: sum(1 for chosen in splits.values() if chosen is side) for side in Split},
        "config": options.config.model_dump(mode="json"),
        "steps": result.steps,
        "loss": result.loss,
        "recall_at_1": {"before": result.before, "after": result.after},
    }
    (options.directory / RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
