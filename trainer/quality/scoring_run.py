"""Scoring a campaign: each scorer over the repaints that lack its score, written as they are measured, so that nothing is done twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from db.quality import ScoreSource, count_repaints, repaints_to_score, scored_revision, write_scores
from trainer.errors import ScoringImpossible
from trainer.model_sources import are_untrained, best_device, clip_source, models_directory
from trainer.quality.protocol import ScoringContext
from trainer.quality.registry import SCORERS
from trainer.quality.vectors import ClipVectors
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from db.campaigns import Campaign
    from db.engine import Database
    from db.quality import RepaintScore
    from db.store import Store
    from trainer.quality.protocol import Scorer

#: Scores that are written in one transaction: what is lost, at most, when a host dies.
_WRITTEN_AT_ONCE = 512


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    """What is measured, and with what."""

    #: Names in the entry point group `paragone.scorers`.
    scorers: tuple[str, ...]
    #: Hugging Face id or directory; None for the campaign's local CLIP, else the default.
    clip: str | None = None
    #: This host's local models, which replace those that the campaign names.
    models: Path | None = None
    #: Scorer to the classifier that it uses: a directory, or a Hugging Face id with an optional "@" and revision.
    named_models: Mapping[str, str] = field(default_factory=dict)
    #: At most so many repaints for each scorer.
    limit: int | None = None
    #: Also those that are scored already.
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class ScoringResult:
    """What was measured now."""

    #: Scorer to how many repaints it measured.
    scored: dict[str, int]
    #: Content hash to the reason why an image was left out.
    unreadable: dict[str, str]
    notes: tuple[str, ...]
    #: Whether the campaign's models were never trained: then no score means anything.
    untrained_models: bool


def score_campaign(
    database: Database, store: Store, campaign: Campaign, options: ScoringOptions, on_progress: Callable[[int, int], None] | None = None
) -> ScoringResult:
    """Measure what lacks a score; done again it measures only what is new.

    Raises:
        ScoringImpossible: there is no repaint, or a scorer lacks its model.
        UnknownComponent: a scorer is not installed.
        ModelUnavailable: CLIP or a named model cannot be loaded.
    """
    from workers.backends.clip import ClipEmbedder

    if not count_repaints(database, campaign.id):
        raise ScoringImpossible(f"campaign {campaign.name!r} has no repaints to score yet: run `paragone work`")
    directory, device = models_directory(campaign.config, options.models), best_device()
    clip = clip_source(directory, options.clip)
    vectors = ClipVectors(embedder=ClipEmbedder(model=clip, device=device), clip=clip, store=store, on_progress=on_progress)
    context = ScoringContext(
        database=database,
        store=store,
        campaign=campaign,
        vectors=vectors,
        device=device,
        models={name: _source(database, campaign, name, named, options) for name, named in options.named_models.items()},
    )
    scorers = {name: SCORERS.load(name)(context) for name in options.scorers}
    notes: list[str] = []
    scored: dict[str, int] = {}
    # Those that need all repaints go last: they may look at what the others found.
    for name, scorer in sorted(scorers.items(), key=lambda item: item[1].whole_campaign):
        if scorer.whole_campaign and options.limit is not None:
            notes.append(f"{name}: left out, it needs every repaint: run it without --limit")
            continue
        scored[name] = _score(context, name, scorer, options)
        notes += scorer.notes
    vectors.unload()
    return ScoringResult(scored=scored, unreadable=context.unreadable, notes=tuple(notes), untrained_models=are_untrained(directory))


def _score(context: ScoringContext, name: str, scorer: Scorer, options: ScoringOptions) -> int:
    """Load, measure, write, unload; how many repaints have a new score."""
    database, campaign_id = context.database, context.campaign.id
    scorer.load()
    try:
        source = ScoreSource(scorer=name, model=scorer.model, revision=scorer.revision, reads_captions=scorer.reads_captions)
        lacking = None if options.again else source
        if scorer.whole_campaign:
            if not count_repaints(database, campaign_id, lacking=lacking):
                return 0
            lacking = None
        repaints = repaints_to_score(database, campaign_id, lacking=lacking, limit=options.limit)
        return _write(database, source, scorer.measure(repaints))
    finally:
        scorer.unload()


def _write(database: Database, source: ScoreSource, measured: Iterator[list[RepaintScore]]) -> int:
    count = 0
    waiting: list[RepaintScore] = []
    try:
        for some in measured:
            waiting += some
            if len(waiting) >= _WRITTEN_AT_ONCE:
                write_scores(database, source, waiting)
                count, waiting = count + _measured(source, waiting), []
    finally:
        write_scores(database, source, waiting)  # also when interrupted: what was measured is not lost
    return count + _measured(source, waiting)


def _measured(source: ScoreSource, some: list[RepaintScore]) -> int:
    return sum(score.name == source.scorer for score in some)


def _source(database: Database, campaign: Campaign, scorer: str, named: str, options: ScoringOptions) -> ModelSource:
    """A named model; of one without a revision the commit that scored before, so that a campaign's scores stay comparable."""
    location, revision = named, None
    if "@" in named and not Path(named).expanduser().is_dir():
        location, _, revision = named.rpartition("@")
    elif not options.again:
        revision = scored_revision(database, campaign.id, name=scorer, model=named)
        revision = None if revision is None or revision.startswith("sha256:") else revision
    return ModelSource(location=location, revision=revision)
