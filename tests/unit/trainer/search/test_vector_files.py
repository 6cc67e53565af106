"""A gallery's vectors: made once, by chunks, and made again when something that they follow from has changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trainer.data.embeddings import Embeddings, ImageReference
from trainer.search import vector_files
from trainer.search.approximate import CellIndex
from trainer.search.vector_files import VectorFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from trainer.search.index import VectorIndex


def reference(number: int) -> ImageReference:
    return ImageReference(content_hash=hashlib.sha256(str(number).encode()).hexdigest())


class CountingEmbedder:
    """Vectors that follow from the hash; it counts its calls and knows no broken image."""

    def __init__(self, broken: Sequence[ImageReference] = ()) -> None:
        self.calls: list[int] = []
        self.broken = {one.content_hash for one in broken}

    def __call__(self, references: Sequence[ImageReference], on_progress: Callable[[int, int], None]) -> Embeddings:
        self.calls.append(len(references))
        on_progress(len(references), len(references))
        hashes = list(dict.fromkeys(one.content_hash for one in references if one.content_hash not in self.broken))
        return Embeddings(
            vectors=np.stack([self.vector(one) for one in hashes]) if hashes else np.zeros((0, 0), dtype=np.float32),
            rows={one: row for row, one in enumerate(hashes)},
            unreadable=dict.fromkeys(self.broken, "it is broken"),
        )

    @staticmethod
    def vector(content_hash: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        values = np.random.default_rng(int(content_hash[:8], 16)).normal(size=8)
        unit: np.ndarray[tuple[int], np.dtype[np.float32]] = (values / np.linalg.norm(values)).astype(np.float32)
        return unit


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_files, "_CHUNK", 4)


def opened(
    folder: Path, references: Sequence[ImageReference], embedder: CountingEmbedder, model: str = "m"
) -> tuple[VectorIndex, dict[int, str]]:
    return VectorFile(folder, name="studies-originals", model=model, references=references).open(embedder)


def test_a_second_call_maps_what_the_first_has_made(tmp_path: Path) -> None:
    references, embedder = [reference(number) for number in (*range(9), 3)], CountingEmbedder()
    told: list[tuple[int, int]] = []
    file = VectorFile(tmp_path, name="studies-originals", model="m", references=references)

    first, _ = file.open(embedder, lambda done, total: told.append((done, total)))
    second, missing = opened(tmp_path, references, embedder)

    assert embedder.calls == [4, 4, 2]
    assert told[-1] == (10, 10)
    assert sorted(told) == told
    for index in (first, second):
        assert len(index) == 10  # a file that two artworks have stands there twice
        products, rows = index.search(embedder.vector(reference(3).content_hash)[None], 2)
        assert (rows.tolist(), products[0]) == ([[3, 9]], pytest.approx([1, 1]))
    assert missing == {}


@pytest.mark.parametrize("change", ["model", "picture", "order"])
def test_vectors_of_something_else_are_not_read_and_are_removed(tmp_path: Path, change: str) -> None:
    references, embedder = [reference(number) for number in range(3)], CountingEmbedder()
    opened(tmp_path, references, embedder)
    other = {"picture": [*references, reference(3)], "order": references[::-1]}.get(change, references)

    opened(tmp_path, other, embedder, model="another" if change == "model" else "m")

    assert len(embedder.calls) == 2
    # Another model is used beside this one; an older state of the same gallery is of no use.
    assert len(list(tmp_path.iterdir())) == (4 if change == "model" else 2)


def test_a_picture_without_a_vector_is_left_out_and_looked_for_again(tmp_path: Path) -> None:
    references = [reference(number) for number in range(6)]
    broken, mended = CountingEmbedder([references[1]]), CountingEmbedder()

    index, missing = opened(tmp_path, references, broken)
    again, none = opened(tmp_path, references, mended)

    assert missing == {1: "it is broken"}
    _, rows = index.search(broken.vector(references[2].content_hash)[None], 1)
    assert (len(index), rows.tolist()) == (5, [[1]])
    assert (len(again), none) == (6, {})


def test_a_gallery_in_which_nothing_can_be_read_is_empty(tmp_path: Path) -> None:
    index, missing = opened(tmp_path, [reference(1)], CountingEmbedder([reference(1)]))

    assert (len(index), len(missing)) == (0, 1)


def test_a_file_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    references, embedder = [reference(number) for number in range(3)], CountingEmbedder()
    opened(tmp_path, references, embedder)
    (vectors,) = tmp_path.glob("*.f32")
    vectors.write_bytes(vectors.read_bytes()[:-4])

    opened(tmp_path, references, embedder)

    assert embedder.calls == [3, 3]


def test_nothing_is_left_behind_by_an_interruption(tmp_path: Path) -> None:
    def interrupted(references: Sequence[ImageReference], on_progress: Callable[[int, int], None]) -> Embeddings:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VectorFile(tmp_path, name="studies", model="m", references=[reference(1)]).open(interrupted)

    assert list(tmp_path.iterdir()) == []


def test_many_vectors_get_an_approximate_index_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    references, embedder = [reference(number) for number in range(300)], CountingEmbedder()
    file = VectorFile(tmp_path, name="studies", model="m", references=references)

    first, _ = file.open(embedder, exact_up_to=299)
    monkeypatch.setattr(CellIndex, "build", None)  # not again
    second, _ = file.open(embedder, exact_up_to=299)

    assert isinstance(first, CellIndex)
    assert isinstance(second, CellIndex)
    assert (second.cells, second.recall) == (first.cells, first.recall)
    query = embedder.vector(references[17].content_hash)[None]
    assert second.search(query, 1)[1].tolist() == first.search(query, 1)[1].tolist() == [[17]]
