"""Pairs of an original and a repaint in seeded batches, in which no two are of one group of copies."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from trainer.data.embeddings import ImageReference
from trainer.data.shown_parts import shown_parts
from trainer.errors import BadImageFile, NothingToTrainOn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import numpy.typing as npt
    from PIL.Image import Image

    from trainer.data.dataset import EmbeddingDataset
    from trainer.data.pair_source import PairSource

_READERS = 4


@dataclass(frozen=True, kw_only=True)
class PicturePair:
    """One positive pair."""

    group: str
    original: ImageReference
    repaint: ImageReference


def picture_pairs(source: PairSource, dataset: EmbeddingDataset, groups: Collection[str]) -> list[PicturePair]:
    """All pairs of these groups, by key of the original and content of the repaint: row ids differ between databases."""
    found = {original.artwork_id: original for original in source.originals()}
    parts = shown_parts(dataset.repaints)
    grouped = {original.artwork_id: original for original in dataset.originals if original.group_key in groups}
    pairs = []
    for repaint in sorted(dataset.repaints, key=lambda one: one.content_hash):
        if (owner := grouped.get(repaint.artwork_id)) is None:
            continue
        original = found[owner.artwork_id]
        reference = ImageReference(content_hash=original.content_hash, link=original.link, box=parts.get(original.content_hash))
        pairs.append(
            (owner.key, PicturePair(group=owner.group_key, original=reference, repaint=ImageReference(content_hash=repaint.content_hash)))
        )
    return [pair for _, pair in sorted(pairs, key=lambda one: (one[0], one[1].repaint.content_hash))]


class PicturePairBatches:
    """Each epoch shows every group once, by a pair of it that is drawn; a step's batch follows from the seed and its number alone.

    Raises `NothingToTrainOn` if there are fewer than two groups: a pair needs another as its negative.
    """

    def __init__(self, pairs: Sequence[PicturePair], *, batch_size: int, seed: int) -> None:
        by_group: defaultdict[str, list[PicturePair]] = defaultdict(list)
        for pair in pairs:
            by_group[pair.group].append(pair)
        self._groups = [by_group[group] for group in sorted(by_group)]
        if len(self._groups) < 2:  # noqa: PLR2004
            raise NothingToTrainOn("fine-tuning needs pairs of at least two different artworks")
        self._size = min(batch_size, len(self._groups))
        self._seed = seed
        self._epoch = (-1, np.empty(0, np.int64), np.empty(0, np.float64))

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches of an epoch; what is left over is drawn again in the next."""
        return len(self._groups) // self._size

    @property
    def content_hash(self) -> str:
        """SHA-256 over all pairs."""
        lines = "".join(f"{pair.group} {pair.original.key} {pair.repaint.key}\n" for pairs in self._groups for pair in pairs)
        return hashlib.sha256(lines.encode()).hexdigest()

    def batch(self, step: int) -> list[PicturePair]:
        """The pairs of a step, counted from 0."""
        epoch, number = divmod(step, self.steps_per_epoch)
        order, draws = self._drawn(epoch)
        chosen = order[number * self._size : (number + 1) * self._size]
        return [self._groups[group][int(draws[group] * len(self._groups[group]))] for group in chosen]

    def _drawn(self, epoch: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        if self._epoch[0] != epoch:
            random = np.random.default_rng(np.random.SeedSequence([self._seed, epoch]))
            self._epoch = (epoch, random.permutation(len(self._groups)), random.random(len(self._groups)))
        return self._epoch[1:]


class PictureReader:
    """Reads and decodes pictures in threads, the next batch while the device works on this one."""

    def __init__(self, read_image: Callable[[str, str | None], bytes]) -> None:
        self._read_image = read_image
        self._threads = ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="picture-reader")

    def ahead(self, references: Sequence[ImageReference]) -> Callable[[], list[Image]]:
        """Begin to read; the call gives the RGB images, or raises `BadImageFile`."""
        futures = [self._threads.submit(self._read, reference) for reference in references]
        return lambda: [future.result() for future in futures]

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    def _read(self, reference: ImageReference) -> Image:
        try:
            image = decode_image(self._read_image(reference.content_hash, reference.link)).image
        except (BlobMissing, UnreadableImage, OSError) as error:
            raise BadImageFile(f"image {reference.content_hash[:12]} cannot be read any more: {error}") from None
        return image if reference.box is None else image.crop(reference.box)
