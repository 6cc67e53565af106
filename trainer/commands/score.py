"""`paragone score`: measure repaints, and show what filters would take out."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from db.campaigns import find_campaign
from db.errors import BadFilter
from db.quality import check_values, count_fitting, score_summaries, where
from db.quality.filter_syntax import parse_filter, scores_in
from trainer.errors import UnknownComponent
from trainer.quality.registry import DEFAULT_SCORERS, NAMED_MODELS, SCORERS

if TYPE_CHECKING:
    from db.engine import Database
    from db.quality import FilterCount, ScoreSummary
    from db.runtime import Runtime
    from trainer.quality.scoring_run import ScoringResult

#: Shown where nothing else is asked: barely changed, off the prompt, not safe for work, and one of several that look the same. The numbers
#: fit OpenAI's CLIP.
SUGGESTED_FILTERS = ("similarity > 0.97", "prompt_agreement < 0.2", "nsfw >= 0.5", "duplicate")

#: Between two lines of progress while images are embedded.
_SECONDS = 5.0


def _scorers(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(SCORERS.check(value) for value in dict.fromkeys(values))
    except UnknownComponent as error:
        raise click.BadParameter(str(error)) from None


def _filters(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for value in values:
            where(value)
    except BadFilter as error:
        raise click.BadParameter(str(error)) from None
    return values


@click.command("score", short_help="Measure repaints, try filters on them.")
@click.option("--campaign", "campaign_name", metavar="NAME", help="Campaign.  [default: the latest]")
@click.option(
    "--scorer",
    "scorers",
    multiple=True,
    metavar="NAME",
    callback=_scorers,
    help=f"What to measure.  [default: {', '.join(DEFAULT_SCORERS)}]",
)
@click.option(
    "--nsfw", metavar="MODEL", help="Also measure nsfw, with this image classifier: a Hugging Face id (ID@REVISION) or a directory."
)
@click.option("--aesthetic", metavar="MODEL", help="Also measure aesthetic, with this image classifier.")
@click.option("--clip", metavar="MODEL", help="CLIP: Hugging Face id or directory.  [default: as in train]")
@click.option("--where", "filters", multiple=True, metavar="FILTER", callback=_filters, help="Show what this filter takes out.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N repaints for each scorer.")
@click.option("--again", is_flag=True, help="Measure also what is scored already.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@click.pass_obj
def score(
    runtime: Runtime,
    /,
    *,
    campaign_name: str | None,
    scorers: tuple[str, ...],
    clip: str | None,
    filters: tuple[str, ...],
    limit: int | None,
    again: bool,
    as_json: bool,
    **named: str | None,
) -> None:
    """Measure the current repaints of a campaign, and show what filters would take out.

    What has a score already is not measured again. `requeue --where` makes again what a filter chooses.

    CLIP reads 77 tokens of a prompt.
    """
    campaign = find_campaign(runtime.database, campaign_name)
    for text in filters:
        check_values(runtime.database, text)

    from trainer.quality.scoring_run import ScoringOptions, score_campaign

    named_models = {name: model for name in NAMED_MODELS if (model := named[name])}
    options = ScoringOptions(
        scorers=tuple(dict.fromkeys((*(scorers or DEFAULT_SCORERS), *named_models))),
        clip=clip,
        models=runtime.settings.models,
        named_models=named_models,
        limit=limit,
        again=again,
    )
    result = score_campaign(runtime.database, runtime.store, campaign, options, _Progress())
    summaries = score_summaries(runtime.database, campaign.id)
    counts = _counts(runtime.database, campaign.id, filters, {one.name for one in summaries})
    if as_json:
        click.echo(json.dumps(_as_json(campaign.name, result, summaries, counts)))
    else:
        _print(campaign.name, result, summaries, counts)


class _Progress:
    """Progress as lines on stderr."""

    def __init__(self) -> None:
        self._printed_at = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """A line every few seconds."""
        if time.monotonic() - self._printed_at >= _SECONDS:
            self._printed_at = time.monotonic()
            click.echo(f"embedded {done} of {total} images", err=True)


def _counts(database: Database, campaign_id: int, filters: tuple[str, ...], measured: set[str]) -> list[FilterCount]:
    """What the given filters choose; without any, the suggested ones of which the scores are there."""
    shown = filters or tuple(text for text in SUGGESTED_FILTERS if scores_in(parse_filter(text)) <= measured)
    return [count for text in shown for count in count_fitting(database, campaign_id, text)]


def _as_json(campaign: str, result: ScoringResult, summaries: list[ScoreSummary], counts: list[FilterCount]) -> dict[str, Any]:
    return {
        "campaign": campaign,
        **asdict(result),
        "scores": [asdict(one) for one in summaries],
        "filters": [asdict(one) for one in counts],
    }


def _print(campaign: str, result: ScoringResult, summaries: list[ScoreSummary], counts: list[FilterCount]) -> None:
    from trainer.quality.scores_table import FILTER_COLUMNS, SCORE_COLUMNS, aligned, filter_rows, score_rows

    for content_hash, reason in result.unreadable.items():
        click.echo(f"left out: image {content_hash[:12]}: {reason}", err=True)
    click.echo(f"{campaign}: measured now: {', '.join(f'{name} {count}' for name, count in result.scored.items()) or 'nothing'}")
    click.echo(aligned(SCORE_COLUMNS, score_rows(summaries)))
    if counts:
        click.echo("\nIf what fits a filter were taken out:")
        click.echo(aligned(FILTER_COLUMNS, filter_rows(counts)))
        click.echo("Make it again with another seed: paragone requeue --where FILTER --new-seed")
    for note in result.notes:
        click.echo(note)
    if result.untrained_models:
        click.echo("These models were never trained: the figures show that the machinery works, nothing more.")
