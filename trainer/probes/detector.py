"""Whether vectors give away that a picture was generated: a straight line between originals and repaints, fitted on the training side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

#: Pictures of each kind that the line is fitted on at most; the rest would not move it.
MOST_TRAINING_PICTURES = 5000

#: Vectors judged at once.
_BATCH = 4096


class GeneratedDetector:
    """Logistic regression (L2, C = 1) on vectors, each coordinate scaled to variance 1 on the training side.

    Balanced accuracy near 1 says that all repaints share a direction: a scorer may then tell a repaint from originals without knowing
    which original it is of.
    """

    def __init__(self, originals: Vectors, repaints: Vectors) -> None:
        """Fit on (n, d) originals and (m, d) repaints of the training side, whose weights are balanced."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._line = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
        truth = np.repeat([0, 1], [len(originals), len(repaints)])
        self._line.fit(np.concatenate([originals, repaints]), truth)

    def told_right(self, originals: Vectors, repaints: Vectors, original_of_repaint: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """(M,) for each repaint the share told right of itself and its original; the mean is the balanced accuracy over the pairs."""
        as_originals = 1 - self._generated(originals)
        told: npt.NDArray[np.float64] = (self._generated(repaints) + as_originals[original_of_repaint]) / 2
        return told

    def _generated(self, vectors: Vectors) -> npt.NDArray[np.float64]:
        """(n,) 1 for what it takes for a repaint."""
        chunks = [self._line.predict(vectors[start : start + _BATCH]) for start in range(0, len(vectors), _BATCH)]
        return np.concatenate(chunks).astype(np.float64) if chunks else np.zeros(0)


def training_sample(rows: npt.NDArray[np.int64], *, most: int = MOST_TRAINING_PICTURES, seed: int = 0) -> npt.NDArray[np.int64]:
    """At most so many of the rows, drawn by the seed, in order."""
    if len(rows) <= most:
        return rows
    drawn = np.random.default_rng(seed).choice(len(rows), size=most, replace=False)
    return rows[np.sort(drawn)]
