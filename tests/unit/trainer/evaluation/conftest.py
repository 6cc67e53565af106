"""Small tables of pairs, and scorers over vectors that are made for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.data.pair_table import OriginalColumns, PairTable, RepaintColumns
from trainer.evaluation.scorers import EvaluatedScorer
from trainer.evaluation.table import ScorerKind
from trainer.metrics.similarities import CosineSimilarities

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float64]

STYLES = ("Baroque", "Cubism", "Fauvism")


def pairs(
    artworks: int,
    *,
    artists: int | None = None,
    levels: Sequence[str] = ("radical",),
    ordinals: int = 1,
    aspects: Sequence[float] = (1.0,),
    groups: Sequence[int] | None = None,
    captions: Sequence[str] | None = None,
) -> PairTable:
    """Artworks of three styles in turn by artists in turn, each with `ordinals` repaints a level; artist None is unknown."""
    numbers = np.arange(artworks)
    made = [(row, level, ordinal) for row in range(artworks) for level in sorted(levels) for ordinal in range(ordinals)]
    own = np.array(groups) if groups is not None else numbers
    words = tuple(captions) if captions is not None else ("",) * artworks
    return PairTable(
        originals=OriginalColumns(
            keys=tuple(f"work-{number:04}" for number in numbers),
            hashes=tuple(f"o{number:04}" for number in numbers),
            groups=own,
            artists=np.full(artworks, -1) if artists is None else numbers % artists,
            styles=tuple(frozenset({STYLES[number % 3]}) for number in numbers),
            aspects=np.array([aspects[number % len(aspects)] for number in numbers.tolist()], dtype=np.float64),
            captions=words,
        ),
        repaints=RepaintColumns(
            hashes=tuple(f"r{row:04}-{level}-{ordinal}" for row, level, ordinal in made),
            originals=np.array([row for row, _, _ in made]),
            levels=np.array([level for _, level, _ in made], dtype=np.str_),
            ordinals=np.array([ordinal for _, _, ordinal in made]),
            seeds=(7,) * len(made),
            prompts=("",) * len(made),
            captions=tuple(words[row] for row, _, _ in made),
        ),
        group_names=tuple(f"g{number}" for number in range(int(own.max()) + 1)),
        artist_names=tuple(f"a{number}" for number in range(artists or 0)),
    )


def unit(vectors: Vectors) -> npt.NDArray[np.float32]:
    scaled: npt.NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def cosine_scorer(
    originals: Vectors, repaints: Vectors, *, kind: ScorerKind, detected: npt.NDArray[np.float64] | None = None
) -> EvaluatedScorer:
    name, title = ("trained", "trained head") if kind is ScorerKind.TRAINED else ("clip", "frozen CLIP")
    return EvaluatedScorer(
        name=name, title=title, kind=kind, similarities=CosineSimilarities(unit(originals), unit(repaints)), detected=detected
    )
