"""Retrieval with altered repaints as queries: re-encoded, resized, cropped, mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.embeddings import ImageReference
from trainer.data.image_reading import read_images
from trainer.evaluation.columns import AVERAGE_PRECISION, RECALL_AT_1
from trainer.evaluation.evaluate_scorers import CellBuilder, artist_clusters
from trainer.evaluation.evaluated_model import scorer_title
from trainer.evaluation.table import RobustnessRow
from trainer.evaluation.table_metrics import TABLE_METRICS
from trainer.metrics.similarities import CosineSimilarities
from trainer.probes.alterations import ALTERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt
    from PIL.Image import Image

    from db.store import Store
    from trainer.data.pair_table import PairTable
    from trainer.evaluation.evaluated_model import EvaluatedModel
    from trainer.evaluation.metric_suite import MetricSuite
    from trainer.probes.alterations import Alteration

    Vectors = npt.NDArray[np.float32]
    Numbers = npt.NDArray[np.int64]
    Embed = Callable[[list[Image]], Vectors]

#: Repaints that are altered at most; each is embedded once for every alteration.
MOST_QUERIES = 2000

_BATCH = 64

_COLUMNS = (RECALL_AT_1, AVERAGE_PRECISION)


@dataclass(frozen=True, kw_only=True)
class QueryImages:
    """Where the pictures of queries come from, and what embeds them in the model's spaces."""

    store: Store
    #: Images to vectors, one row an image, as the model's embeddings hold them: each space's part of length 1.
    embed: Embed


def evaluate_alterations(
    model: EvaluatedModel,
    images: QueryImages,
    *,
    alterations: Mapping[str, Alteration] = ALTERATIONS,
    most: int = MOST_QUERIES,
    seed: int = 0,
    metrics: MetricSuite = TABLE_METRICS,
) -> list[RobustnessRow]:
    """R@1 and mAP of the head and of the frozen backbones for each alteration and level; the gallery is that of the whole test side.

    At most `most` repaints are queries, drawn by the seed; a repaint that can not be read is left out of all alterations.
    """
    rows = _drawn(len(model.table.repaints), most, seed)
    references = [ImageReference(content_hash=model.table.repaints.hashes[row]) for row in rows.tolist()]
    altered: dict[str, dict[str, Vectors]] = {name: {} for name in alterations}
    for batch in read_images(references, images.store, _BATCH, {}):
        for name, alter in alterations.items() if batch else ():
            vectors = images.embed([alter(image) for _, image in batch])
            altered[name].update(zip((content_hash for content_hash, _ in batch), vectors, strict=True))
    readable = np.array([row for row in rows.tolist() if model.table.repaints.hashes[row] in next(iter(altered.values()))], dtype=np.int64)
    if not len(readable):
        return []
    table = model.table.take(np.arange(len(model.table.originals)), readable)
    stacked = {name: np.stack([found[one] for one in table.repaints.hashes]) for name, found in altered.items()}
    return list(_robustness_rows(model, table, stacked, metrics))


def _robustness_rows(
    model: EvaluatedModel, table: PairTable, altered: Mapping[str, Vectors], metrics: MetricSuite
) -> Iterator[RobustnessRow]:
    clusters, _ = artist_clusters(table)
    levels = {level: np.flatnonzero(table.repaints.levels == level) for level in table.levels}
    references: dict[str, Mapping[str, npt.NDArray[np.float64]]] = {}
    for scorer, kind, project in model.projections():
        originals = model.original_vectors(project)
        for name, vectors in altered.items():
            values = metrics.retrieval(CosineSimilarities(originals, project(vectors)), table)
            cells = CellBuilder(metrics, clusters, references.setdefault(name, values))
            for level, rows in levels.items():
                found = [cells.cell(column, values[column], rows, kind) for column in _COLUMNS if column in values]
                yield RobustnessRow(
                    scorer=scorer,
                    title=scorer_title(scorer, kind),
                    kind=kind,
                    level=level,
                    alteration=name,
                    cells=tuple(cell for cell in found if cell),
                )


def _drawn(count: int, most: int, seed: int) -> Numbers:
    """Rows of at most so many repaints, in order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=most, replace=False))
