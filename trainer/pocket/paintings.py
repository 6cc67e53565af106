"""The paintings to train on, read once into flat files: as the generator sees them, and as CLIP and the captioner do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from db.images import letterbox
from trainer.pocket.recipe import SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


#: Processes that render in parallel, each from a seed of its own.
_SHARDS = 4


class PaintingLabel(BaseModel):
    """What `paragone samples` records of a painting."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: "a painting of two boats in a harbour", and the same with style and palette.
    caption: str
    sentence: str
    style: str
    artist: str
    subject: str
    count: int
    palette: str
    #: Paintings of one number are one scene, rendered in several versions.
    scene: int
    version: int


@dataclass(frozen=True, kw_only=True)
class Paintings:
    """N paintings: their labels and their pixels, (N, SIZE, SIZE, 3) on the disk."""

    labels: Sequence[PaintingLabel]
    #: Letterboxed as before a generator, with the box (left, top, right, bottom) of the content: (N, 4).
    canvases: Pixels
    boxes: NDArray[np.int64]
    #: Scaled to the square whatever the aspect, as the processors of CLIP and the captioner do.
    squares: Pixels

    def __len__(self) -> int:
        return len(self.labels)


def load_paintings(folder: Path, *, count: int, seed: int, versions: int = 1) -> Paintings:
    """The paintings of a seed, rendered with `paragone samples` and read, unless that was done before.

    A folder of samples has a broken file among its images, so a few less or more than `count` times `versions` come back.
    """
    done = folder / "truths.json"
    if not done.exists():
        shards = [(folder / f"shard-{shard}", _share(count, shard), _SHARDS * seed + shard) for shard in range(_SHARDS)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda shard: _render_shard(*shard, versions=versions), [shard for shard in shards if shard[1]]))
        _read([tree for tree, number, _ in shards if number], folder)
    labels = [PaintingLabel.model_validate(fact) for fact in json.loads(done.read_text(encoding="utf-8"))]
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r")[: len(labels)] for name in ("canvases", "boxes", "squares")}
    return Paintings(labels=labels, **arrays)


def content(paintings: Paintings, pixels: Pixels) -> list[Image.Image]:
    """Canvases without their bars, as images."""
    pairs = zip(pixels, paintings.boxes, strict=True)
    return [Image.fromarray(np.asarray(canvas[top:bottom, left:right])) for canvas, (left, top, right, bottom) in pairs]


def _share(count: int, shard: int) -> int:
    return count // _SHARDS + (shard < count % _SHARDS)


def _render_shard(tree: Path, count: int, seed: int, *, versions: int) -> None:
    asked = ("--count", count, "--size", SIZE, "--seed", seed, "--versions", versions)
    command = [sys.executable, "-P", "-m", "paragone", "samples", tree, *asked]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command


def _read(trees: Sequence[Path], folder: Path) -> None:
    """All readable images by scene and version, whatever a catalogue's order; the labels last: with that file the folder is complete."""
    known = [json.loads((tree / "truth.json").read_text(encoding="utf-8")) for tree in trees]
    shape = (sum(map(len, known)), SIZE, SIZE, 3)
    canvases = np.lib.format.open_memmap(folder / "canvases.npy", "w+", np.uint8, shape)
    squares = np.lib.format.open_memmap(folder / "squares.npy", "w+", np.uint8, shape)
    boxes = np.zeros((shape[0], 4), np.int64)
    labels: list[dict[str, Any]] = []
    before = 0
    for tree, facts in zip(trees, known, strict=True):
        for path, fact in sorted(facts.items(), key=lambda pair: (pair[1]["scene"], pair[1]["version"])):
            place = len(labels)
            try:
                with Image.open(tree / path) as opened:
                    image = opened.convert("RGB")
            except OSError:
                continue
            canvas, box = letterbox(image, SIZE)
            canvases[place], boxes[place] = np.asarray(canvas), box.to_json()
            squares[place] = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
            labels.append({**fact, "scene": before + fact["scene"]})
        before += 1 + max(fact["scene"] for fact in facts.values())
    canvases.flush()
    squares.flush()
    np.save(folder / "boxes.npy", boxes)
    (folder / "truths.json").write_text(json.dumps(labels, ensure_ascii=False), encoding="utf-8")
