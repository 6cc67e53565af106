"""The origin finder: the pictures of a gallery that are most like a query, and whether the original that it was made from is among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trainer.calibration.search_cases import CANDIDATES
from trainer.calibration.words import search_words
from trainer.search.gallery import PictureKind
from trainer.search.views import QueryViews, embed_views, search_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from trainer.calibration.calibration import SearchCalibration
    from trainer.search.gallery import GalleryPicture, SearchGallery
    from trainer.search.query_files import QueryImage
    from trainer.search.views import ImageEncoder

#: From so many times the originals of the calibration its probabilities promise too much.
MANY_TIMES = 4


@dataclass(frozen=True, kw_only=True)
class SimilarPicture:
    """A picture of the gallery that is like the query."""

    #: From 1.
    rank: int
    #: Cosine from -1 to 1: the largest over the query's views.
    similarity: float
    #: That it is the query's origin; None of repaints, without a calibration, and beyond the ten nearest originals.
    probability: float | None
    kind: PictureKind
    #: Of the artwork.
    key: str
    artist: str | None
    title: str | None
    style: str | None
    #: Of a repaint.
    level: str | None
    content_hash: str
    #: Where it lies if not in the store.
    link: str | None
    #: The view of the query that is most like it, such as "plain" or "mirrored".
    view: str
    #: Whether it is the very file that was asked about, byte for byte.
    same_file: bool = False


@dataclass(frozen=True, kw_only=True)
class OriginSearch:
    """What was found for one query."""

    #: The file, or what else the query is called.
    query: str
    #: The most alike first.
    pictures: tuple[SimilarPicture, ...]
    #: Key of the nearest original; None if originals were not searched.
    nearest: str | None
    #: That the nearest original is the query's origin, if the gallery holds the origin of one query in two; None without a calibration.
    probability: float | None
    #: 95 %, by bootstrap over the artists of the calibration.
    interval: tuple[float, float] | None
    #: That none of the ten nearest originals is.
    none_of_these: float | None
    #: The answer in plain words; None where there is no probability and the file itself was not found.
    words: str | None


class OriginFinder:
    """Searches galleries, at most one of each kind, for what is like an image."""

    def __init__(self, encoder: ImageEncoder, galleries: Sequence[SearchGallery], calibration: SearchCalibration | None = None) -> None:
        """`calibration` is of searches among originals by the same vectors."""
        self._encoder = encoder
        self._galleries = galleries
        self._calibration = calibration

    def __len__(self) -> int:
        return sum(len(gallery) for gallery in self._galleries)

    @property
    def recall(self) -> float:
        """Share of the true nearest that is found; 1 where every product is computed."""
        return min((gallery.index.recall for gallery in self._galleries), default=1.0)

    @property
    def note(self) -> str | None:
        """What to know of the probabilities beside their intervals; None if there is nothing."""
        originals = [len(gallery) for gallery in self._galleries if gallery.kind is PictureKind.ORIGINAL]
        if self._calibration is None or not originals or originals[0] < MANY_TIMES * self._calibration.gallery:
            return None
        return (
            f"the probabilities were calibrated among {self._calibration.gallery:,} originals and promise too much among {originals[0]:,}: "
            "more of them come near by chance"
        )

    def find(self, queries: Sequence[QueryImage], *, k: int = 10, views: QueryViews = QueryViews.NONE) -> list[OriginSearch]:
        """The `k` most alike of each query; raises `ValueError` for k below 1."""
        if k < 1:
            raise ValueError(f"k is {k}: at least 1 picture can be looked for")
        vectors = embed_views(self._encoder, [query.image for query in queries], views)
        return [_marked(self._one(own[None], query.name, k, views), query) for own, query in zip(vectors, queries, strict=True)]

    def _one(self, vectors: npt.NDArray[np.float32], name: str, k: int, views: QueryViews) -> OriginSearch:
        found: list[SimilarPicture] = []
        answer = OriginSearch(query=name, pictures=(), nearest=None, probability=None, interval=None, none_of_these=None, words=None)
        for gallery in self._galleries:
            similarities, rows, seen = search_views(gallery.index, vectors, max(k, CANDIDATES))[0]
            probabilities: list[float | None] = [None] * len(rows)
            if gallery.kind is PictureKind.ORIGINAL and len(rows):
                answer = replace(answer, nearest=gallery.pictures[rows[0]].key)
                if self._calibration is not None:
                    answer, judged = self._judged(answer, self._calibration, gallery, similarities, rows)
                    probabilities[: len(judged)] = judged
            found += [
                _similar(gallery.pictures[row], float(similarity), probability, views.names[view])
                for row, similarity, probability, view in zip(rows, similarities, probabilities, seen, strict=True)
            ]
        nearest = sorted(found, key=lambda one: -one.similarity)[:k]  # stable: an original before a repaint that is as near
        return replace(answer, pictures=tuple(replace(one, rank=rank) for rank, one in enumerate(nearest, 1)))

    @staticmethod
    def _judged(
        answer: OriginSearch,
        calibration: SearchCalibration,
        gallery: SearchGallery,
        similarities: npt.NDArray[np.float32],
        rows: npt.NDArray[np.int64],
    ) -> tuple[OriginSearch, list[float | None]]:
        judged = calibration.judge(similarities.astype(np.float64), gallery.groups(rows))
        probability, interval = judged.probabilities[0], judged.interval
        assert interval is not None  # there is a candidate
        nearest = gallery.pictures[rows[0]].key
        words = search_words(nearest, probability, interval, judged.none)
        with_words = replace(answer, probability=probability, interval=interval, none_of_these=judged.none, words=words)
        return with_words, list(judged.probabilities)


def _similar(picture: GalleryPicture, similarity: float, probability: float | None, view: str) -> SimilarPicture:
    return SimilarPicture(
        rank=0,
        similarity=similarity,
        probability=probability,
        kind=picture.kind,
        key=picture.key,
        artist=picture.artist,
        title=picture.title,
        style=picture.style,
        level=picture.level,
        content_hash=picture.content_hash,
        link=picture.link,
        view=view,
    )


def _marked(search: OriginSearch, query: QueryImage) -> OriginSearch:
    """With the very same file marked, and named in the answer."""
    own = query.content_hash
    same = [one for one in search.pictures if one.content_hash == own]
    if own is None or not same:
        return search
    pictures = tuple(replace(one, same_file=one.content_hash == own) for one in search.pictures)
    return replace(search, pictures=pictures, words=f"the very file of {same[0].key} ({same[0].kind})")
