"""Vectors of a gallery in a file beside the data directory: made once, mapped into memory ever after.

A file is named after everything that its content follows from: the model's folder, and the pictures in their order. One in which pictures
are missing is made again at the next call, for they may be readable then.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ValidationError

from trainer.search.approximate import CellIndex
from trainer.search.index import ExactIndex, has_faiss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from trainer.data.embeddings import Embeddings, ImageReference
    from trainer.search.index import VectorIndex

    #: Gives references their vectors; it is called with how many of them are done, out of how many that had to be computed.
    Embed = Callable[[Sequence[ImageReference], Callable[[int, int], None]], Embeddings]

#: Images whose vectors are in memory at once while a file is made.
_CHUNK = 8192

#: Up to so many vectors every product is computed.
EXACT_UP_TO = 1_000_000


class VectorFileFacts(BaseModel):
    """What stands beside the vectors."""

    count: int
    dimension: int
    #: Place among the references of each picture that has no vector, and why.
    missing: dict[int, str] = {}
    #: Of an approximate index.
    cells: int | None = None
    recall: float | None = None


class VectorFile:
    """The vectors of these references by one model; `name` tells what they are."""

    def __init__(self, folder: Path, *, name: str, model: str, references: Sequence[ImageReference]) -> None:
        """`model` is a digest of the model that makes the vectors."""
        digest = hashlib.sha256(model.encode())
        for reference in references:
            digest.update(bytes.fromhex(reference.key))
        self._folder = folder
        self._references = references
        self._name = f"{name}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"
        self._stem = folder / f"{self._name}-{digest.hexdigest()[:16]}"

    def open(
        self, embed: Embed, on_progress: Callable[[int, int], None] | None = None, *, exact_up_to: int = EXACT_UP_TO
    ) -> tuple[VectorIndex, dict[int, str]]:
        """The index, and why which references are not in it; made now if it is not there.

        `on_progress` is called with how many pictures are done, and how many there are, while it is made.
        """
        facts = self._kept() or self._make(embed, on_progress)
        vectors = self._mapped(facts)
        if facts.count > exact_up_to and has_faiss():
            return self._approximate(vectors, facts), facts.missing
        return ExactIndex(vectors), facts.missing

    def _kept(self) -> VectorFileFacts | None:
        try:
            facts = VectorFileFacts.model_validate_json(self._path(".json").read_bytes())
            whole = self._path(".f32").stat().st_size == facts.count * facts.dimension * 4
        except (FileNotFoundError, ValidationError):
            return None
        return facts if whole and not facts.missing else None

    def _make(self, embed: Embed, on_progress: Callable[[int, int], None] | None) -> VectorFileFacts:
        self._folder.mkdir(parents=True, exist_ok=True)
        total, count, dimension = len(self._references), 0, 0
        missing: dict[int, str] = {}
        scratch = self._folder / f".{uuid.uuid4().hex}"
        try:
            with scratch.open("wb") as file:
                for start in range(0, total, _CHUNK):
                    chunk = self._references[start : start + _CHUNK]
                    found = embed(chunk, lambda done, _, start=start: _tell(on_progress, start + done, total))  # type: ignore[misc]
                    rows = [found.rows.get(reference.content_hash) for reference in chunk]
                    for place, (reference, row) in enumerate(zip(chunk, rows, strict=True), start):
                        if row is None:
                            missing[place] = found.unreadable.get(reference.content_hash, "it has no vector")
                    vectors = found.vectors[[row for row in rows if row is not None]]
                    file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
                    count, dimension = count + len(vectors), max(dimension, vectors.shape[1])
                    _tell(on_progress, start + len(chunk), total)
            scratch.replace(self._path(".f32"))
        finally:
            scratch.unlink(missing_ok=True)
        facts = VectorFileFacts(count=count, dimension=dimension, missing=missing)
        self._write(facts)
        self._forget_others()
        return facts

    def _approximate(self, vectors: npt.NDArray[np.float32], facts: VectorFileFacts) -> CellIndex:
        path = self._path(".ivf")
        if facts.cells is not None and facts.recall is not None and path.exists():
            return CellIndex.read(path, cells=facts.cells, recall=facts.recall)
        index = CellIndex.build(vectors)
        index.write(path)
        self._write(facts.model_copy(update={"cells": index.cells, "recall": index.recall}))
        return index

    def _mapped(self, facts: VectorFileFacts) -> npt.NDArray[np.float32]:
        shape = (facts.count, facts.dimension)
        return np.memmap(self._path(".f32"), dtype="<f4", mode="r", shape=shape) if facts.count else np.zeros(shape, dtype=np.float32)

    def _write(self, facts: VectorFileFacts) -> None:
        scratch = self._folder / f".{uuid.uuid4().hex}"
        scratch.write_text(facts.model_dump_json(), encoding="utf-8")
        scratch.replace(self._path(".json"))

    def _forget_others(self) -> None:
        """Files of the same gallery as it was before."""
        for path in self._folder.glob(f"{self._name}-*"):
            if not path.name.startswith(self._stem.name):
                path.unlink(missing_ok=True)

    def _path(self, suffix: str) -> Path:
        return self._stem.with_name(self._stem.name + suffix)


def _tell(on_progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress(done, total)
