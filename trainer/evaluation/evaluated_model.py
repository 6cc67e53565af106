"""A head on one side of a split, beside the frozen backbones and the probes: from embeddings to the evaluation table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embeddings import unit_length
from trainer.data.pair_table import pair_table
from trainer.data.shown_parts import shown_parts
from trainer.evaluation.evaluate_scorers import evaluate_scorers
from trainer.evaluation.projection import project_rows
from trainer.evaluation.scorers import EvaluatedScorer, chance_scorer
from trainer.evaluation.table import ScorerKind
from trainer.heads.projection import project
from trainer.metrics.similarities import CosineSimilarities
from trainer.probes.aspect import AspectSimilarities
from trainer.probes.captions import CaptionSimilarities, has_words
from trainer.probes.detector import GeneratedDetector, training_sample
from trainer.spaces.space_slice import CLIP, frozen_slice

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import numpy.typing as npt

    from db.results.pairs import Repaint
    from trainer.data.embeddings import Embeddings
    from trainer.data.originals import GroupedOriginal
    from trainer.data.pair_table import PairTable
    from trainer.evaluation.picture_colours import PictureColours
    from trainer.evaluation.table import EvaluationTable, RobustnessRow
    from trainer.heads.siamese import SiameseHead
    from trainer.spaces.space_slice import SpaceSlice

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]
    Project = Callable[[Vectors], Vectors]

#: The head's name among the scorers.
TRAINED = "trained"

#: Names of spaces as people write them.
_SPACE_TITLES = {CLIP: "CLIP", "latents": "latents", "dinov2": "DINOv2"}

#: Fewer pictures of a kind on the training side show nothing of a straight line between both.
_LEAST_TO_DETECT = 20


@dataclass(frozen=True, kw_only=True)
class EvaluatedModel:
    """A head, the pictures it is evaluated on, and those it was trained on."""

    head: SiameseHead
    embeddings: Embeddings
    originals: Sequence[GroupedOriginal]
    repaints: Sequence[Repaint]
    #: Groups of copies to evaluate on, and those that probes may be fitted on.
    test_groups: Collection[str]
    train_groups: Collection[str] = ()
    #: The spaces whose vectors lie side by side in the embeddings; none for one space, CLIP.
    spaces: tuple[SpaceSlice, ...] = ()
    #: Gives colour histograms by content hash, for the probe of colours; without it that probe is left out.
    colours: PictureColours | None = None

    @cached_property
    def table(self) -> PairTable:
        """The pictures that are evaluated."""
        return self._table(self.test_groups)

    def evaluate(self, *, breakdowns: Sequence[str] = (), robustness: Sequence[RobustnessRow] = ()) -> EvaluationTable:
        """The table of the head, the backbones, the probes and chance; raises `NothingToTrainOn` if there is no repaint."""
        return evaluate_scorers(self.scorers(), self.table, breakdowns=breakdowns, robustness=robustness)

    def scorers(self) -> Iterator[EvaluatedScorer]:
        """One after another, the reference first; each is to be dropped before the next is taken."""
        for name, _, _ in self.projections():
            yield self.projected_scorer(name)
        yield from self._probes()
        yield chance_scorer(len(self.table.originals), len(self.table.repaints))

    def projections(self) -> list[tuple[str, ScorerKind, Project]]:
        """Name, kind and function of what makes vectors comparable: the frozen backbones, the reference first, then the head."""
        columns = {space.name: space.columns for space in self._reference_first()} or {CLIP: slice(None)}
        frozen: list[tuple[str, ScorerKind, Project]] = [
            (name, ScorerKind.FROZEN, partial(_unit_columns, wanted)) for name, wanted in columns.items()
        ]
        return [*frozen, (TRAINED, ScorerKind.TRAINED, partial(project, self.head))]

    def _reference_first(self) -> list[SpaceSlice]:
        first = frozen_slice(self.spaces) if self.spaces else None
        return sorted(self.spaces, key=lambda space: space is not first)

    def projected_scorer(self, name: str) -> EvaluatedScorer:
        """The scorer of one of the projections."""
        kind, function = next((kind, function) for known, kind, function in self.projections() if known == name)
        vectors, table = self.embeddings.vectors, self.table
        originals = project_rows(vectors, self._rows(table.originals.hashes), function)
        repaints = project_rows(vectors, self._rows(table.repaints.hashes), function)
        return EvaluatedScorer(
            name=name,
            title=scorer_title(name, kind),
            kind=kind,
            similarities=CosineSimilarities(originals, repaints),
            detected=self._detected(function, originals, repaints),
        )

    def original_vectors(self, project_block: Project) -> Vectors:
        """(N, d) the originals of the table through a projection."""
        return project_rows(self.embeddings.vectors, self._rows(self.table.originals.hashes), project_block)

    def _probes(self) -> Iterator[EvaluatedScorer]:
        table = self.table
        yield _probe("shape", "only the shape", AspectSimilarities(*self._aspects()))
        colours = None if self.colours is None else self.colours.similarities(table)
        if colours is not None:
            yield _probe("colours", "only colours", colours)
        if has_words(table.originals.captions) and has_words(table.repaints.captions):
            yield _probe("captions", "only captions", CaptionSimilarities(table.originals.captions, table.repaints.captions))

    def _aspects(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Width over height of the originals as far as repaints show them, and of the repaints."""
        shown = {one: (right - left) / (bottom - top) for one, (left, top, right, bottom) in shown_parts(self.repaints).items()}
        aspects = zip(self.table.originals.hashes, self.table.originals.aspects.tolist(), strict=True)
        made = {repaint.content_hash: repaint.width / repaint.height for repaint in self.repaints}
        return np.array([shown.get(one, aspect) for one, aspect in aspects]), np.array([made[one] for one in self.table.repaints.hashes])

    def _detected(self, function: Project, originals: Vectors, repaints: Vectors) -> npt.NDArray[np.float64] | None:
        """How well a straight line, fitted on the training side, tells the test side's repaints; None if that side is too small."""
        train = self._table(self.train_groups)
        rows = [training_sample(self._rows(hashes)) for hashes in (train.originals.hashes, train.repaints.hashes)]
        if min(map(len, rows)) < _LEAST_TO_DETECT:
            return None
        fitted = [project_rows(self.embeddings.vectors, some, function) for some in rows]
        return GeneratedDetector(*fitted).told_right(originals, repaints, self.table.repaints.originals)

    def _table(self, groups: Collection[str]) -> PairTable:
        wanted = set(groups)
        have = self.embeddings.rows
        return pair_table(
            [original for original in self.originals if original.group_key in wanted and original.content_hash in have],
            [repaint for repaint in self.repaints if repaint.content_hash in have],
        )

    def _rows(self, hashes: Sequence[str]) -> Numbers:
        return np.array([self.embeddings.rows[one] for one in hashes], dtype=np.int64)


def _unit_columns(columns: slice, vectors: Vectors) -> Vectors:
    """(n, dimension) of length 1: a backbone as it is."""
    return unit_length(vectors[:, columns])


def scorer_title(name: str, kind: ScorerKind) -> str:
    """The name of a backbone or of the head for people."""
    return "trained head" if kind is ScorerKind.TRAINED else f"frozen {_SPACE_TITLES.get(name, name)}"


def _probe(name: str, title: str, similarities: AspectSimilarities | CaptionSimilarities | CosineSimilarities) -> EvaluatedScorer:
    return EvaluatedScorer(name=name, title=title, kind=ScorerKind.PROBE, similarities=similarities)
