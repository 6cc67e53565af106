"""From the options of `enqueue` to the campaign that is meant: defaults, then the TOML file, then flags."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from db.campaigns import DEFAULT_NAME, Campaign, CampaignConfig, all_campaigns, open_campaign, parse_config, read_campaign_file
from db.campaigns.configuration import Name
from db.enums import CampaignState
from db.errors import BadConfiguration, CampaignDiffers
from producer.backend_checks import check_backends, with_defaults
from producer.errors import WrongUse
from producer.local_models import with_local_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from db.engine import Database


_SHIPPED = "campaigns"

_LEAVES_OUT = (
    "campaign {name!r} leaves out artworks without style or artist, and a campaign's configuration is frozen: give what is missing "
    "(`paragone ingest CATALOGUE --artist NAME --style NAME`), or open another (`paragone enqueue --campaign NAME --include-incomplete`)"
)


@dataclass(frozen=True, kw_only=True)
class CampaignOptions:
    """The campaign as the command line names it."""

    #: `--campaign`.
    name: str | None = None
    #: `--config`: a TOML file, or the bare name of one that ships; from Python also what such a file would hold.
    config: str | Mapping[str, Any] | None = None
    #: `--models`: a directory with a models.json, or "pocket".
    models: str | None = None
    #: `--level`: the only levels to keep.
    levels: tuple[str, ...] = ()
    #: `--include-incomplete`: artworks without style or artist take part.
    include_incomplete: bool = False

    @property
    def configures(self) -> bool:
        """Whether any option configures the campaign; otherwise one that exists keeps its own configuration."""
        return bool(self.config or self.models or self.levels)


def chosen_campaign(database: Database, options: CampaignOptions, *, dry_run: bool) -> Campaign:
    """The campaign that the options mean, opened if it is new; a dry run opens nothing and gives a new one the id 0.

    Raises `CampaignDiffers`, `BadConfiguration`, `WrongUse`.
    """
    file_name, settings = _campaign_file(options.config)
    known = all_campaigns(database)
    name = checked_name(options.name or file_name or (known[-1].name if known else DEFAULT_NAME))
    present = next((campaign for campaign in known if campaign.name == name), None)
    if present is not None and options.include_incomplete and not present.config.include_incomplete:
        raise CampaignDiffers(_LEAVES_OUT.format(name=name))
    if present is not None and not options.configures:
        return present
    if options.include_incomplete:
        settings["include_incomplete"] = True
    elif present is not None:
        settings.setdefault("include_incomplete", present.config.include_incomplete)
    config = configuration(settings, models=options.models, levels=options.levels)
    if present is not None:
        _check_same(present, config)
        return present
    check_backends(config)
    return Campaign(id=0, name=name, config=config, state=CampaignState.OPEN) if dry_run else open_campaign(database, name, config)


def _campaign_file(config: str | Mapping[str, Any] | None) -> tuple[str | None, dict[str, Any]]:
    """The name and the settings that a campaign file gives, or that are given as it would."""
    if isinstance(config, str):
        return read_campaign_file(config_file(config))
    settings = dict(config or {})
    return settings.pop("name", None), settings


def configuration(settings: dict[str, Any], *, models: str | None = None, levels: Sequence[str] = ()) -> CampaignConfig:
    """The checked configuration of a campaign file's settings under the flags; raises `BadConfiguration`, `WrongUse`."""
    if models is not None:
        settings = with_local_models(settings, models)
    config = parse_config(settings)
    return _kept_levels(config, levels) if levels else config


def config_file(named: str) -> Path:
    """The campaign file of that path, or the shipped one of that name; raises `WrongUse`."""
    path = Path(named)
    if path.is_file():
        return path
    shipped = {file.stem: file for file in sorted(Path(str(files("producer") / _SHIPPED)).glob("*.toml"))}
    if named in shipped:
        return shipped[named]
    raise WrongUse(f"--config: there is no file {named}, and the campaigns that ship are {', '.join(shipped)}")


def _check_same(present: Campaign, config: CampaignConfig) -> None:
    """Raise `CampaignDiffers` unless both configurations mean the same.

    Compared with the backends' defaults written out: an earlier version stored some of them, and a file may spell them out or not.
    """
    if present.config.config_hash == config.config_hash:
        return
    check_backends(config)
    differences = with_defaults(present.config).differences(with_defaults(config))
    if differences:
        listed = "; ".join(differences)
        raise CampaignDiffers(f"campaign {present.name!r} exists with another configuration ({listed}): choose another --campaign name")


def _kept_levels(config: CampaignConfig, levels: Sequence[str]) -> CampaignConfig:
    """The configuration with only these levels; shares are spread over them anew."""
    unknown = sorted(set(levels) - set(config.level))
    if unknown:
        raise WrongUse(f"--level: there is no level {', '.join(unknown)}, only {', '.join(config.level)}")
    settings = config.model_dump(mode="json")
    settings["level"] = {name: level for name, level in settings["level"].items() if name in levels}
    if isinstance(config.levels, dict):
        shares = {name: share for name, share in config.levels.items() if name in levels}
        total = sum(shares.values())
        if total <= 0:
            raise WrongUse(f"--level: {', '.join(levels)} has no share in the campaign's levels")
        settings["levels"] = {name: share / total for name, share in shares.items()}
    return parse_config(settings)


def checked_name(name: Any) -> str:
    """The name if a campaign can have it; raises `BadConfiguration`."""
    try:
        return TypeAdapter(Name).validate_python(name, strict=True)
    except ValidationError:
        rule = "use letters, digits, dots, dashes and underscores, at most 64, and begin with a letter or digit"
        raise BadConfiguration(f"a campaign cannot be named {name!r}: {rule}") from None
