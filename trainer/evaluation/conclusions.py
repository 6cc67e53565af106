"""What may be concluded from an evaluation table, in sentences, and what may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.evaluation.columns import COLUMN_BY_NAME, DETECTED, GENERATED, HEADLINE, OTHER_STYLE, RECALL_AT_1
from trainer.evaluation.figures import Verdict
from trainer.evaluation.table import ALL, ScorerKind
from trainer.metrics.intervals import FEWEST_CLUSTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.evaluation.figures import EvaluationFigure, ReferenceDifference
    from trainer.evaluation.table import EvaluationRow, EvaluationTable

#: The columns that are accuracies by kind of negative and are shown.
_ACCURACIES = (HEADLINE, OTHER_STYLE, "same_artist", GENERATED, "nearest")
#: A straight line that is right so often shows that all repaints share a direction.
_DETECTED = 0.95
#: Accuracies that chance explains reach so far.
_NEAR_CHANCE = 0.6
#: An accuracy that looks like success.
_LOOKS_GOOD = 0.8


def conclude(table: EvaluationTable) -> Iterator[str]:
    """Sentences, the most important first."""
    if table.clusters < FEWEST_CLUSTERS:
        yield (
            f"Too few for a verdict: {table.clusters} test {table.clusters_by}s, at least {FEWEST_CLUSTERS} are needed. "
            "The figures show how wide the intervals are, not which scorer is better."
        )
    for level in table.levels if len(table.levels) == 1 else [level for level in table.levels if level != ALL]:
        rows = [row for row in table.rows if row.level == level]
        where = "" if level == ALL else f"{level}: "
        for row in rows:
            if row.kind is ScorerKind.TRAINED:
                yield from (where + sentence for sentence in _beside_reference(row, table))
                yield from (where + sentence for sentence in _generated_direction(row))
        yield from (where + sentence for sentence in _shortcuts(rows, table))
    yield from _altered(table)


def _beside_reference(row: EvaluationRow, table: EvaluationTable) -> Iterator[str]:
    reference = next(one.title for one in table.rows if one.scorer == table.reference)
    heading = _title(table.headline)
    cell = row.cell(table.headline)
    if cell is None:
        yield f"no headline: no two originals on the test side have the same shape, so {heading} can not be computed."
    elif cell.difference is not None and cell.verdict is Verdict.TOO_FEW:
        yield f"in the headline ({heading}) the {row.title} is {cell.difference.value:+.3f} from {reference}, which so few can not confirm."
    elif cell.difference is not None and cell.verdict is not None:
        yield f"the {row.title} is {_words(cell.verdict, reference)} in the headline ({heading}) {_difference(cell.difference)}."
    found = row.cell(RECALL_AT_1)
    if found is not None and found.verdict in (Verdict.BETTER, Verdict.WORSE) and found.difference is not None:
        yield f"at finding originals (R@1) it is {_words(found.verdict, reference)} {_difference(found.difference)}."


def _words(verdict: Verdict, reference: str) -> str:
    match verdict:
        case Verdict.BETTER:
            return f"better than {reference}"
        case Verdict.WORSE:
            return f"worse than {reference}"
        case _:
            return f"not better than {reference}, within the interval,"


def _difference(difference: ReferenceDifference) -> str:
    p = "p < .001" if difference.p < 0.001 else f"p = {difference.p:.3f}".replace("0.", ".", 1)  # noqa: PLR2004  # as papers write it
    return f"by {difference.value:+.3f} (95 %: {difference.low:+.3f} to {difference.high:+.3f}, {p})"


def _generated_direction(row: EvaluationRow) -> Iterator[str]:
    """Whether a good accuracy comes from seeing that a picture was generated."""
    detected, generated, other = row.cell(DETECTED), row.cell(GENERATED), row.cell(OTHER_STYLE)
    if detected is not None and detected.figure.value >= _DETECTED:
        yield (
            f"a straight line tells repaints from originals on the {row.title}'s vectors in {detected.figure.value:.3f} of cases: "
            f"accuracies over negatives that are originals can come from that alone, {_title(GENERATED)!r} can not."
        )
    if generated is None or other is None:
        return
    if other.figure.value >= _LOOKS_GOOD and generated.figure.value <= _NEAR_CHANCE:
        yield (
            f"the {row.title} scores {other.figure.value:.3f} in {_title(OTHER_STYLE)!r} but {generated.figure.value:.3f} in "
            f"{_title(GENERATED)!r}: it sees that a picture was generated, not what it was generated from."
        )


def _shortcuts(rows: list[EvaluationRow], table: EvaluationTable) -> Iterator[str]:
    """Columns that a probe solves in part, and a headline in which a probe is as good as the trained head."""
    trained = next((row for row in rows if row.kind is ScorerKind.TRAINED), None)
    for row in rows:
        if row.kind is not ScorerKind.PROBE:
            continue
        headline = row.cell(table.headline)
        solved = [cell for cell in row.cells if cell.column in _ACCURACIES and _looks_good(cell.figure)]
        if solved:
            figures = ", ".join(f"{cell.figure.value:.3f} in {_title(cell.column)!r}" for cell in solved)
            there = "" if headline is None or headline in solved else f", {headline.figure.value:.3f} in the headline"
            yield f"a probe that sees {row.title} scores {figures}{there}: what it reaches can be had without knowing the picture."
        own = None if trained is None else trained.cell(table.headline)
        if trained is not None and own is not None and headline is not None and headline.figure.value >= own.figure.value:
            yield f"a probe that sees {row.title} is not below the {trained.title} in the headline: nothing can be concluded for the head."


def _altered(table: EvaluationTable) -> Iterator[str]:
    """Alterations under which the trained head finds originals worse than the reference does."""
    reference = next(row.title for row in table.rows if row.scorer == table.reference)
    for row in table.robustness:
        for cell in row.cells:
            if row.kind is ScorerKind.TRAINED and cell.column == RECALL_AT_1 and cell.verdict is Verdict.WORSE and cell.difference:
                difference = _difference(cell.difference)
                yield f"{row.level}, {row.alteration}: at finding originals (R@1) the {row.title} is worse than {reference} {difference}."


def _looks_good(figure: EvaluationFigure) -> bool:
    return figure.value >= _LOOKS_GOOD and (figure.low or 0) > _NEAR_CHANCE


def _title(column: str) -> str:
    return COLUMN_BY_NAME[column].title
