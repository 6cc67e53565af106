"""Gathers the report's content from the database, the store and the model folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from db.campaigns import frozen_revision
from db.campaigns.imported import IMPORTED
from db.quality import score_summaries
from db.results.pairs import originals, repaints
from db.training import finished_runs
from trainer.evaluate.evaluation import Evaluation
from trainer.fit.config import complete_record
from trainer.fit.history import History
from trainer.negatives.registry import DEFAULT_NEGATIVES
from trainer.report.content import LevelSummary, ModelSummary, ReportContent, ReportRun
from trainer.report.example_artworks import choose_examples
from trainer.report.example_pairs import example_pairs
from trainer.training_run import HISTORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from db.campaigns import Campaign, Level
    from db.engine import Database
    from db.store import Store
    from db.training import TrainingRun


def gather_report(
    database: Database, store: Store, campaign: Campaign, *, counts: Mapping[str, Mapping[str, int]], untrained: bool
) -> ReportContent:
    """The content for one campaign; what does not exist yet (repaints, runs) is left empty."""
    found, made = originals(database, campaign.id), repaints(database, campaign.id)
    runs = latest_runs(database, campaign)
    levels = campaign.config.level
    return ReportContent(
        campaign=campaign.name,
        seed=campaign.config.seed,
        size=campaign.config.picture.size,
        artworks=len(found),
        repaints=len(made),
        models=_models(database, campaign),
        levels=tuple(_level(name, level) for name, level in levels.items()),
        counts=counts,
        examples=choose_examples(store, list(levels), found, made),
        runs=tuple(_report_runs(runs)),
        pairs=example_pairs(database, store, runs, found, made),
        untrained=untrained,
        scores=tuple(score_summaries(database, campaign.id)),
    )


def latest_runs(database: Database, campaign: Campaign) -> list[TrainingRun]:
    """The latest finished run of each split, the largest training share first."""
    latest: dict[str, TrainingRun] = {}
    for run in finished_runs(database, campaign.id):
        latest.setdefault(run.name, run)
    return sorted(latest.values(), key=lambda run: run.name, reverse=True)


def _report_runs(runs: Iterable[TrainingRun]) -> Iterator[ReportRun]:
    for run in runs:
        try:
            history = History.model_validate_json((Path(run.directory) / HISTORY).read_text(encoding="utf-8"))
            evaluation = Evaluation.model_validate(run.metrics)
        except (OSError, ValidationError):
            continue  # its folder was moved or lies on another host: the database alone has no curve
        config = complete_record(run.config)
        yield ReportRun(
            split=run.name,
            history=history,
            evaluation=evaluation,
            triplets=run.recipe.get("triplets", {}),
            directory=run.directory,
            negative_strategy=run.recipe.get("negatives", DEFAULT_NEGATIVES),
            loss=config["loss"],
            head=config["head"],
        )


def _level(name: str, level: Level) -> LevelSummary:
    if level.backend == IMPORTED:
        return LevelSummary(name=name, strength=None, guidance=None, steps=None)
    return LevelSummary(name=name, strength=level.strength, guidance=level.guidance, steps=level.steps)


def _models(database: Database, campaign: Campaign) -> tuple[ModelSummary, ...]:
    config = campaign.config
    named = [
        ("captions", config.caption),
        ("prompts", config.prompt),
        *((f"{name} repaints", level) for name, level in config.level.items()),
    ]
    return tuple(
        ModelSummary(
            role=role,
            model=model.model or model.backend,
            revision=(frozen_revision(database, campaign.id, backend=model.backend, model=model.model) or model.revision)
            if model.model
            else "no model",
        )
        for role, model in named
    )
