"""`paragone prompts`: the prompts of a campaign with how they were written, or drafts of some before it is begun."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from db.campaigns import CampaignConfig, all_campaigns, find_campaign, read_campaign_file
from db.monitoring.written_prompts import PromptFilter, writing_counts, written_prompts
from producer.backend_checks import check_backends
from producer.campaign_options import CampaignOptions, config_file, configuration
from producer.commands.context import console, emit_json, json_option, pass_runtime
from producer.drafts import write_drafts
from producer.drafts_page import drafts_page
from producer.errors import WrongUse
from producer.prompt_notes import counts_line, how_written
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from db.campaigns import Campaign
    from db.monitoring.written_prompts import WrittenPrompt
    from db.runtime import Runtime
    from producer.drafts import PromptDraft

#: Rows of the table for people where no limit is given.
SHOWN = 20
PAGE = "prompts.html"


def _filter(_context: click.Context, _parameter: click.Parameter, value: str | None) -> PromptFilter | None:
    return None if value is None else PromptFilter(value)


@click.command(short_help="List a campaign's prompts, or try some.")
@click.option("--campaign", metavar="NAME", help="Campaign.  [default: the latest]")
@click.option("--level", metavar="L", help="Only this level.")
@click.option("--where", type=click.Choice([*map(str, PromptFilter)]), callback=_filter, help="Only prompts that were written like this.")
@click.option("--limit", type=click.IntRange(min=1), help=f"Only the first prompts.  [default: {SHOWN}, with --json all]")
@click.option("--try", "number", type=click.IntRange(1, 1000), metavar="N", help="Write drafts for N artworks; nothing is recorded.")
@click.option("--config", metavar="FILE.toml", help="With --try: campaign file, or one that ships.")
@click.option("--models", metavar="DIR|pocket", help="With --try: local models with a models.json.")
@click.option("--seed", type=int, help="With --try: draws the artworks.  [default: the campaign's]")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help=f"With --try: the page.  [default: {PAGE}, with --json none]")
@json_option
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def prompts(
    runtime: Runtime,
    *,
    campaign: str | None,
    level: str | None,
    where: PromptFilter | None,
    limit: int | None,
    number: int | None,
    config: str | None,
    models: str | None,
    seed: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """List the prompts of a campaign with how each was written.

    With --try, drafts for some artworks are written by the campaign's models, here and now, and shown beside their originals on a page.
    """
    if number is None:
        _refuse({"--config": config, "--models": models, "--seed": seed, "--out": out}, "goes with --try")
        _list(runtime, campaign, where=where, level=level, limit=limit, as_json=as_json)
        return
    _refuse({"--where": where, "--limit": limit}, "does not go with --try")
    known, frozen = _configured(runtime, CampaignOptions(name=campaign, config=config, models=models))
    if level is not None and level not in known.level:
        raise WrongUse(f"--level: there is no level {level}, only {', '.join(known.level)}")
    found = write_drafts(
        runtime,
        known,
        number=number,
        seed=known.seed if seed is None else seed,
        levels=[] if level is None else [level],
        campaign_id=None if frozen is None else frozen.id,
    )
    page = out or (None if as_json else Path(PAGE))
    if page is not None:
        _write(page, drafts_page(found, title=f"Drafts of {len(found.drafts)} prompts"))
    if as_json:
        emit_json(_document(drafts=found.drafts, page=None if page is None else str(page), campaign=frozen))
    else:
        _show(found.drafts)
        console().print(f"page: {page}", soft_wrap=True)


def _refuse(options: dict[str, object], why: str) -> None:
    for option, value in options.items():
        if value is not None:
            raise WrongUse(f"{option} {why}")


def _list(runtime: Runtime, name: str | None, *, where: PromptFilter | None, level: str | None, limit: int | None, as_json: bool) -> None:
    campaign = find_campaign(runtime.database, name)
    if limit is None and not as_json:
        limit = SHOWN
    found = written_prompts(runtime.database, campaign.id, where=where, level=level, limit=limit)
    counts = writing_counts(runtime.database, campaign.id)
    if as_json:
        emit_json(_document(campaign=campaign, counts=counts, prompts=found))
        return
    out = console()
    if found:
        _show(found)
    elif counts.prompts:
        out.print("no prompt is like that")
    out.print(f"campaign {campaign.name}: {counts_line(counts)}", markup=False, soft_wrap=True)


def _configured(runtime: Runtime, options: CampaignOptions) -> tuple[CampaignConfig, Campaign | None]:
    """The configuration that is tried, and the campaign whose revisions and captions it takes, where there is one."""
    if not options.configures and (options.name or all_campaigns(runtime.database)):
        campaign = find_campaign(runtime.database, options.name)
        return campaign.config, campaign
    named = options.config if isinstance(options.config, str) else None
    settings = read_campaign_file(config_file(named))[1] if named else {}
    config = configuration(settings, models=options.models)
    check_backends(config)
    return config, None


def _write(page: Path, text: str) -> None:
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"--out: {page} cannot be written ({error.strerror}): name another file") from None


def _document(
    *,
    campaign: Campaign | None = None,
    counts: object = None,
    prompts: Sequence[WrittenPrompt] = (),
    drafts: Sequence[PromptDraft] = (),
    page: str | None = None,
) -> dict[str, object]:
    name = None if campaign is None else campaign.name
    return {"campaign": name, "counts": counts, "prompts": list(prompts), "drafts": list(drafts), "page": page}


def _show(found: Iterable[WrittenPrompt | PromptDraft]) -> None:
    table = Table("artwork", "level", "tokens", "written by", "prompt", box=None, pad_edge=False)
    for one in found:
        cells = (one.artwork, one.level, str(one.tokens), how_written(one.writing), one.prompt)
        table.add_row(*(Text(cell) for cell in cells))
    console().print(table)
