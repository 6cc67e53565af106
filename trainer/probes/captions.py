"""What can be told by words alone: a probe that reads the captions of pictures and sees no picture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.metrics.similarities import Block, Rows


_WORD = r"(?u)\w+"


def has_words(captions: Sequence[str]) -> bool:
    """Whether any of the captions has a word to compare."""
    return any(re.search(_WORD, caption) for caption in captions)


class CaptionSimilarities:
    """Cosines of bags of words: counts of words in lower case; 0 to a picture without a caption.

    The counts are sparse: 240,000 captions of 12 words take some 35 MB.
    """

    def __init__(self, originals: Sequence[str], repaints: Sequence[str]) -> None:
        """The caption of each original (N) and of each repaint (M), "" where there is none; `has_words` must hold for some."""
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.preprocessing import normalize

        vectors = normalize(CountVectorizer(dtype=np.float32, token_pattern=_WORD).fit_transform([*originals, *repaints]))
        self._originals, self._repaints = vectors[: len(originals)], vectors[len(originals) :]

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N): these originals to all originals."""
        return _cosines(self._originals[rows], self._originals)

    def originals_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these originals to all repaints."""
        return _cosines(self._originals[rows], self._repaints)

    def repaints_to_originals(self, rows: Rows) -> Block:
        """(n, N): these repaints to all originals."""
        return _cosines(self._repaints[rows], self._originals)

    def repaints_to_repaints(self, rows: Rows) -> Block:
        """(n, M): these repaints to all repaints."""
        return _cosines(self._repaints[rows], self._repaints)


def _cosines(one, other) -> Block:  # type: ignore[no-untyped-def]  # noqa: ANN001  # scipy's sparse matrices are untyped
    block: Block = (one @ other.T).toarray()
    return block
