"""What an operator should be told before or after a plan: nothing can be planned, or the models do not know the artworks."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from db.catalogue.queries import known_artists
from db.jobs.candidates import any_candidate, left_out
from db.jobs.planned_work import anything_planned
from db.models_directory import POCKET, read_models_facts, resolve_models_directory
from producer.errors import NothingToPlan

if TYPE_CHECKING:
    from db.campaigns import Campaign
    from db.engine import Database
    from db.jobs.plan import Selection
    from producer.campaign_options import CampaignOptions

#: What `paragone samples` appends to one artist's name, so that cleaning has something to repair.
_ELDER = " aîné"


def check_anything_to_plan(database: Database, campaign: Campaign, options: CampaignOptions, selection: Selection) -> None:
    """Raise `NothingToPlan` if every artwork of the selection is left out and the campaign has never had one."""
    with database.read() as connection:
        if any_candidate(connection, campaign.config, selection) or anything_planned(connection, campaign.id):
            return
        reasons = left_out(connection, campaign.config)
    if not reasons:
        return
    counted = "; ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
    whose = f" of the style {' or '.join(selection.styles)}" if selection.styles else ""
    raise NothingToPlan(f"nothing can be planned: every artwork{whose} is left out ({counted}): {_way_on(reasons, options)}")


def models_warning(database: Database, named: str) -> str | None:
    """One line if the models of `--models` do not know the registered artworks; None if those are sample paintings only."""
    if _only_samples(database):
        return None
    if named == POCKET:
        return (
            "the pocket models know only the sample paintings of `paragone samples`: what they say and paint of other pictures means "
            "little; without --models the campaign takes BLIP-2 and SDXL"
        )
    if not read_models_facts(resolve_models_directory(named)).get("trained", False):
        return f"the models in {named} are not trained: what they say and paint means nothing"
    return None


def _way_on(reasons: dict[str, int], options: CampaignOptions) -> str:
    if set(reasons) == {"unreadable"}:
        return "mend the pictures and ingest them again"
    command = ["paragone", "enqueue"]
    command += ["--campaign", options.name] if options.name else []
    command += ["--config", options.config] if isinstance(options.config, str) else []
    command += ["--models", options.models] if options.models else []
    command += [part for level in options.levels for part in ("--level", level)]
    return (
        "give what is missing with `paragone ingest CATALOGUE --artist NAME --style NAME`, or in a table (`--template FILE.csv`), "
        f"or take them as they are with `{shlex.join([*command, '--include-incomplete'])}`"
    )


def _only_samples(database: Database) -> bool:
    """Whether all artworks are by the artists of the sample paintings; an artist may be missing where a style is there, as in a sample."""
    from producer.samples.styles import STYLES  # paints with numpy

    names = {artist.name.casefold() for style in STYLES for artist in style.artists}
    names |= {f"{name}{_ELDER}" for name in names}
    known = known_artists(database)
    named = [artist for artist, _ in known if artist is not None]
    return bool(named) and all(artist.casefold() in names for artist in named) and all(styled for artist, styled in known if artist is None)
