"""What the record, the store and the model folders know, gathered for the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from db.campaigns import frozen_revision
from db.results.pairs import originals, repaints
from db.training import finished_runs
from trainer.evaluation import Evaluation
from trainer.history import History
from trainer.report.examples import choose_examples
from trainer.report.facts import LevelFact, ModelFact, ReportFacts, ReportRun
from trainer.report.pairing import example_pairs
from trainer.run import HISTORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from db.campaigns import Campaign
    from db.engine import Database
    from db.store import Store
    from db.training import TrainingRun


def gather_report(
    database: Database, store: Store, campaign: Campaign, *, counts: Mapping[str, Mapping[str, int]], untrained: bool
) -> ReportFacts:
    """The facts of one campaign; what is not there yet (repaints, runs) is left empty."""
    found, painted = originals(database, campaign.id), repaints(database, campaign.id)
    runs = latest_runs(database, campaign)
    levels = campaign.config.level
    return ReportFacts(
        campaign=campaign.name,
        seed=campaign.config.seed,
        size=campaign.config.picture.size,
        artworks=len(found),
        repaints=len(painted),
        models=_models(database, campaign),
        levels=tuple(
            LevelFact(name=name, strength=level.strength, guidance=level.guidance, steps=level.steps) for name, level in levels.items()
        ),
        counts=counts,
        examples=choose_examples(store, list(levels), found, painted),
        runs=tuple(_shown(runs)),
        pairs=example_pairs(database, store, runs, found, painted),
        untrained=untrained,
    )


def latest_runs(database: Database, campaign: Campaign) -> list[TrainingRun]:
    """The latest finished run of each split, the largest training share first."""
    latest: dict[str, TrainingRun] = {}
    for run in finished_runs(database, campaign.id):
        latest.setdefault(run.name, run)
    return sorted(latest.values(), key=lambda run: run.name, reverse=True)


def _shown(runs: Iterable[TrainingRun]) -> Iterator[ReportRun]:
    for run in runs:
        try:
            history = History.model_validate_json((Path(run.directory) / HISTORY).read_text(encoding="utf-8"))
            evaluation = Evaluation.model_validate(run.metrics)
        except (OSError, ValidationError):
            continue  # its folder was moved or lies on another host: the record alone has no curve
        triplets = run.recipe.get("triplets", {})
        yield ReportRun(split=run.name, history=history, evaluation=evaluation, triplets=triplets, directory=run.directory)


def _models(database: Database, campaign: Campaign) -> tuple[ModelFact, ...]:
    config = campaign.config
    named = [
        ("captions", config.caption),
        ("prompts", config.prompt),
        *((f"{name} repaints", level) for name, level in config.level.items()),
    ]
    return tuple(
        ModelFact(
            role=role,
            model=model.model or model.backend,
            revision=(frozen_revision(database, campaign.id, backend=model.backend, model=model.model) or model.revision)
            if model.model
            else "no model",
        )
        for role, model in named
    )
