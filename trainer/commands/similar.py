"""`paragone similar`: the pictures of a campaign that are most like an image, and which original it was made from."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainer.commands.options import models_option
from trainer.search.gallery import SearchedPictures
from trainer.search.views import QueryViews

if TYPE_CHECKING:
    from PIL.Image import Image

    from db.runtime import Runtime
    from trainer.search.campaign_search import CampaignSearch
    from trainer.search.origin_finder import OriginSearch

#: Between two lines of progress while vectors are computed.
_SECONDS = 5.0

_COLUMNS = ("kind", "key", "rank", "similarity", "probability", "level", "artist", "title", "")


@click.command("similar", short_help="Find the original that an image was made from.")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--model", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="A trained model. [default: the latest]")
@click.option("--campaign", metavar="NAME", help="Campaign to search. [default: the one that the model was trained on]")
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Pictures to show for each image.")
@click.option(
    "--over",
    type=click.Choice([*map(str, SearchedPictures)]),
    default=str(SearchedPictures.ORIGINALS),
    show_default=True,
    help="Pictures to search.",
)
@click.option(
    "--views",
    type=click.Choice([*map(str, QueryViews)]),
    default=str(QueryViews.NONE),
    show_default=True,
    help="Other views of the image that count too.",
)
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.png", help="Draw what was found.")
@models_option("models")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_context
def similar(
    context: click.Context,
    *,
    images: tuple[Path, ...],
    model: Path | None,
    campaign: str | None,
    k: int,
    over: str,
    views: str,
    sheet: Path | None,
    models: Path | None,
    as_json: bool,
) -> None:
    """Find the pictures of a campaign that are most like each IMAGE, a file or a folder of them, and the original that it was made from.

    An image that cannot be read is told and passed over; the exit code is 1 then.
    """
    if sheet is not None and not sheet.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {str(sheet.parent)!r}", param_hint="--sheet")
    runtime: Runtime = context.obj

    from trainer.search.campaign_search import SearchOptions, open_campaign_search
    from trainer.search.query_files import query_files

    files = query_files(images)
    options = SearchOptions(model=model, campaign=campaign, models=models, pictures=SearchedPictures(over), views=QueryViews(views), k=k)
    search = open_campaign_search(runtime, options, _Progress())
    found: list[OriginSearch] = []
    shown: list[Image] = []
    failed: dict[str, str] = {}
    if not as_json:
        _introduce(search)
    for answer in search.answers(files):
        if answer.search is None or answer.image is None:
            failed[answer.name] = str(answer.failure)
            click.echo(f"left out: {answer.failure}", err=True)
            continue
        found.append(answer.search)
        if sheet is not None:
            shown.append(_small(answer.image))
        if not as_json:
            _print(answer.search)
    if sheet is not None:
        _draw(runtime, list(zip(found, shown, strict=True)), sheet, as_json=as_json)
    if as_json:
        click.echo(json.dumps(_as_json(search, found, failed, sheet)))
    if failed:
        context.exit(1)


class _Progress:
    """Progress as lines on stderr."""

    def __init__(self) -> None:
        self._printed_at = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """A line every few seconds."""
        if time.monotonic() - self._printed_at >= _SECONDS:
            self._printed_at = time.monotonic()
            click.echo(f"vectors of {done} of {total} {what}", err=True)


def _small(image: Image) -> Image:
    """What the sheet shows of it; a thousand whole images would not fit into memory."""
    from trainer.report.thumbnails import THUMBNAIL

    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


def _introduce(search: CampaignSearch) -> None:
    from trainer.calibration.words import NO_CALIBRATION

    for content_hash, reason in search.unreadable.items():
        click.echo(f"left out: image {content_hash[:12]}: {reason}", err=True)
    recall = search.finder.recall
    approximate = "" if recall == 1 else f", {recall:.1%} of the true nearest found"
    click.echo(f"campaign {search.campaign}: {len(search.finder):,} pictures searched{approximate}")
    if search.options.pictures is not SearchedPictures.REPAINTS and not _is_calibrated(search):
        click.echo(f"no probability: {NO_CALIBRATION}")
    if search.finder.note is not None:
        click.echo(f"note: {search.finder.note}")


def _is_calibrated(search: CampaignSearch) -> bool:
    return search.model.calibration is not None and search.model.calibration.search is not None


def _print(search: OriginSearch) -> None:
    from trainer.quality.scores_table import aligned

    click.echo(f"\n{search.query}" + ("" if search.words is None else f": {search.words}"))
    if search.probability is not None and search.interval is not None and search.none_of_these is not None:
        low, high = search.interval
        click.echo(
            f"the nearest original is its origin with probability {search.probability:.3f} (95 %: {low:.3f} to {high:.3f}), "
            f"none of these is with {search.none_of_these:.3f}"
        )
    rows = [
        (
            str(one.kind),
            one.key,
            str(one.rank),
            f"{one.similarity:.4f}",
            "" if one.probability is None else f"{one.probability:.3f}",
            one.level or "",
            one.artist or "",
            one.title or "",
            ", ".join([*(["the same file"] if one.same_file else []), *([f"as {one.view}"] if one.view != "plain" else [])]),
        )
        for one in search.pictures
    ]
    click.echo(aligned(_COLUMNS, rows))


def _draw(runtime: Runtime, found: list[tuple[OriginSearch, Image]], sheet: Path, *, as_json: bool) -> None:
    from trainer.search.sheet import MOST_QUERIES, draw_similar

    draw_similar(found, runtime.store, sheet)
    if not as_json:
        cut = f" (the first {MOST_QUERIES} of {len(found)} images)" if len(found) > MOST_QUERIES else ""
        click.echo(f"\nsheet: {sheet}{cut}")


def _as_json(search: CampaignSearch, found: list[OriginSearch], failed: dict[str, str], sheet: Path | None) -> dict[str, Any]:
    return {
        "campaign": search.campaign,
        "model": str(search.model.directory),
        "over": search.options.pictures,
        "views": search.options.views,
        "gallery": len(search.finder),
        "recall": search.finder.recall,
        "note": search.finder.note,
        "searches": [asdict(one) for one in found],
        "failed": failed,
        "unreadable": search.unreadable,
        "sheet": None if sheet is None else str(sheet),
    }
