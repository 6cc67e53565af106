"""The columns of the evaluation table: what each figure is, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Better(StrEnum):
    """Which way a column's figures are better."""

    #: Accuracies, recalls, areas.
    LARGER = "larger"
    #: Errors.
    SMALLER = "smaller"
    #: The figure describes and does not judge: it has no verdict.
    NEITHER = "neither"


@dataclass(frozen=True, kw_only=True)
class EvaluationColumn:
    """One column."""

    #: Its key in JSON, and in what a metric gives.
    name: str
    #: Its heading.
    title: str
    #: A sentence on it.
    meaning: str
    better: Better = Better.LARGER
    #: Whether the table for a terminal shows it.
    main: bool = False


#: The column that a headline may be taken from: a negative of the same shape can not be told by its frame.
HEADLINE = "same_shape"
OTHER_STYLE, GENERATED, RECALL_AT_1, DETECTED = "other_style", "generated", "recall_at_1", "detected"
AVERAGE_PRECISION = "average_precision"


def _accuracy(name: str, negatives: str, *, main: bool = True) -> EvaluationColumn:
    meaning = f"Share of all {negatives} that are less like the original than its repaint is; a tie counts half."
    return EvaluationColumn(name=name, title=name.replace("_", " "), meaning=meaning, main=main)


#: In the order in which they are shown: the headline first.
COLUMNS = (
    _accuracy(HEADLINE, "originals of the same shape"),
    _accuracy(OTHER_STYLE, "originals of another style"),
    _accuracy("same_style", "originals that share a style", main=False),
    _accuracy("same_artist", "other originals by the same artist"),
    _accuracy(GENERATED, "repaints of other originals, of the same level,"),
    _accuracy("nearest", "of the 10 originals that are nearest by the frozen backbone"),
    EvaluationColumn(name="auc", title="AUC", meaning="Area under the ROC curve of pairs: original and own repaint, or another."),
    EvaluationColumn(name="tpr_at_1_fpr", title="TPR@1%", meaning="Share of true pairs above the threshold that 1 % of false ones pass."),
    EvaluationColumn(name="equal_error", title="EER", meaning="Error where both kinds of error are as frequent.", better=Better.SMALLER),
    EvaluationColumn(name="f1", title="F1", meaning="F1 of pairs at the threshold chosen on the validation side."),
    EvaluationColumn(
        name=RECALL_AT_1,
        title="R@1",
        meaning="Share of repaints whose nearest original of the gallery is their own or a copy of it.",
        main=True,
    ),
    EvaluationColumn(name="recall_at_5", title="R@5", meaning="Share of repaints whose own original is among the 5 nearest."),
    EvaluationColumn(name="recall_at_10", title="R@10", meaning="Share of repaints whose own original is among the 10 nearest."),
    EvaluationColumn(name=AVERAGE_PRECISION, title="mAP", meaning="Mean average precision of repaints that look for their original."),
    EvaluationColumn(name="map_at_r", title="MAP@R", meaning="Mean average precision at R of repaints that look for their original."),
    EvaluationColumn(
        name="repaint_recall_at_1", title="back R@1", meaning="Share of originals whose nearest repaint of the level is their own."
    ),
    EvaluationColumn(
        name="repaint_recall_at_10", title="back R@10", meaning="Share of originals with an own repaint among the 10 nearest."
    ),
    EvaluationColumn(
        name="repaint_average_precision", title="back mAP", meaning="Mean average precision of originals that look for their repaints."
    ),
    EvaluationColumn(
        name="graded_order", title="graded", meaning="Share of originals in the order repaint, same artist, same style, other style."
    ),
    EvaluationColumn(
        name=DETECTED,
        title="detected",
        meaning="Balanced accuracy of a straight line that tells repaints from originals: near 1, all repaints share a direction.",
        better=Better.NEITHER,
    ),
    EvaluationColumn(
        name="effective_rank", title="rank", meaning="Effective rank of the vectors: how many directions they use.", better=Better.NEITHER
    ),
    EvaluationColumn(
        name="off_pair_cosine", title="off-pair", meaning="Mean cosine of pictures that do not belong together.", better=Better.NEITHER
    ),
    EvaluationColumn(
        name="uniformity", title="uniformity", meaning="Log of the mean Gaussian potential of all pairs.", better=Better.NEITHER
    ),
    EvaluationColumn(name="alignment", title="alignment", meaning="Mean squared distance of original and repaint.", better=Better.NEITHER),
)

COLUMN_BY_NAME = {column.name: column for column in COLUMNS}
