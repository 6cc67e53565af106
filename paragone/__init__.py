"""Paragone from Python: open a project, plan and run its work, read what came of it, use a trained model.

    import paragone

    with paragone.open("paragone-data") as project:
        project.ingest("classes.csv", images="wikiart/")
        project.enqueue(models="pocket")
        project.work()
        for pair in project.pairs():
            pair.repaint.image().save(f"{pair.original.key}-{pair.repaint.level}.png")

Importing it loads neither torch nor Celery nor SQLAlchemy, and reads no settings: each name is loaded when it is first used. What Paragone
raises on purpose is a `ParagoneError` whose text is one clear line.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from paragone.shadowing import ShadowedPackage, check_packages, typed_as_command

try:
    check_packages()
except ShadowedPackage as shadowed:
    if typed_as_command():
        sys.exit(f"paragone: {shadowed}")
    raise

if TYPE_CHECKING:
    from db.campaigns import Campaign
    from db.monitoring.progress import Progress
    from paragone.errors import MissingExtra, ParagoneError, WorkFailed
    from paragone.images import RepaintPair, StoredOriginal, StoredRepaint
    from paragone.model import load_model
    from paragone.project import Project, open  # noqa: A004  # `paragone.open`, as `PIL.Image.open`
    from paragone.samples import paint_samples
    from producer.cleaning.report import CleaningReport
    from producer.draining import DrainResult
    from producer.enqueue import EnqueueResult
    from producer.export.run import ExportResult
    from producer.failures import ReportedFailure
    from producer.requeue import RequeueResult
    from producer.results_import import ImportReport
    from producer.samples import SampleTree
    from producer.steering import CancelResult, PauseResult
    from trainer.evaluate.compare import Comparison
    from trainer.search.origin_finder import OriginSearch, SimilarPicture
    from trainer.siamese_model import SiameseModel

    __version__: str

#: Public name to the module that holds it.
_MODULES = {
    "Campaign": "db.campaigns",
    "CancelResult": "producer.steering",
    "CleaningReport": "producer.cleaning.report",
    "Comparison": "trainer.evaluate.compare",
    "DrainResult": "producer.draining",
    "EnqueueResult": "producer.enqueue",
    "ExportResult": "producer.export.run",
    "ImportReport": "producer.results_import",
    "MissingExtra": "paragone.errors",
    "OriginSearch": "trainer.search.origin_finder",
    "ParagoneError": "paragone.errors",
    "PauseResult": "producer.steering",
    "Progress": "db.monitoring.progress",
    "Project": "paragone.project",
    "RepaintPair": "paragone.images",
    "ReportedFailure": "producer.failures",
    "RequeueResult": "producer.requeue",
    "SampleTree": "producer.samples",
    "SiameseModel": "trainer.siamese_model",
    "SimilarPicture": "trainer.search.origin_finder",
    "StoredOriginal": "paragone.images",
    "StoredRepaint": "paragone.images",
    "WorkFailed": "paragone.errors",
    "load_model": "paragone.model",
    "open": "paragone.project",
    "paint_samples": "paragone.samples",
}

__all__ = [
    "Campaign",
    "CancelResult",
    "CleaningReport",
    "Comparison",
    "DrainResult",
    "EnqueueResult",
    "ExportResult",
    "ImportReport",
    "MissingExtra",
    "OriginSearch",
    "ParagoneError",
    "PauseResult",
    "Progress",
    "Project",
    "RepaintPair",
    "ReportedFailure",
    "RequeueResult",
    "SampleTree",
    "ShadowedPackage",
    "SiameseModel",
    "SimilarPicture",
    "StoredOriginal",
    "StoredRepaint",
    "WorkFailed",
    "__version__",
    "load_model",
    "open",
    "paint_samples",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("paragone")
    elif name in _MODULES:
        from importlib import import_module

        value = getattr(import_module(_MODULES[name]), name)
    else:
        raise AttributeError(f"module 'paragone' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
