"""Campaigns: opening and finding them, and freezing the revisions of their models."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from db.campaigns.configuration import CampaignConfig
from db.campaigns.tables import campaigns, model_revisions
from db.engine.clock import now
from db.enums import CampaignState
from db.errors import CampaignCancelled, CampaignDiffers, UnknownCampaign

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database

#: The campaign that commands mean when none is named and none exists yet.
DEFAULT_NAME = "default"


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One named run with its frozen configuration."""

    id: int
    name: str
    config: CampaignConfig
    state: CampaignState


def all_campaigns(database: Database) -> list[Campaign]:
    """Every campaign, oldest first."""
    with database.read() as connection:
        return [_campaign(row) for row in connection.execute(select(campaigns).order_by(campaigns.c.id)).mappings()]


def find_campaign(database: Database, name: str | None) -> Campaign:
    """The campaign of that name; without a name the only one, or the latest; raises `UnknownCampaign`."""
    known = all_campaigns(database)
    if name is None and known:
        return known[-1]
    for campaign in known:
        if campaign.name == name:
            return campaign
    if not known:
        raise UnknownCampaign("there is no campaign yet: `paragone enqueue` opens one")
    raise UnknownCampaign(f"there is no campaign {name!r}: there are {', '.join(campaign.name for campaign in known)}")


def campaign_name(database: Database, campaign_id: int) -> str:
    """The name of a campaign, without reading its configuration; raises `UnknownCampaign`."""
    with database.read() as connection:
        found: str | None = connection.scalar(select(campaigns.c.name).where(campaigns.c.id == campaign_id))
    if found is None:
        raise UnknownCampaign
    return found


def check_not_cancelled(campaign: Campaign) -> None:
    """Raise `CampaignCancelled` for a campaign that was cancelled for good."""
    if campaign.state is CampaignState.CANCELLED:
        raise CampaignCancelled(f"campaign {campaign.name!r} was cancelled, which is final: enqueue under another --campaign name")


def lock_campaign(connection: Connection, campaign_id: int) -> Campaign:
    """The campaign as it is now, and as it stays until this transaction ends; raises `UnknownCampaign`.

    Whoever adds jobs to a campaign, or changes whether they may be claimed, does this first, so that none of them overlooks another.
    The lock is one that the foreign keys of results do not wait for: workers hand in their work meanwhile.
    """
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id).with_for_update(key_share=True)).mappings().first()
    if row is None:
        raise UnknownCampaign
    return _campaign(row)


def open_campaign(database: Database, name: str, config: CampaignConfig) -> Campaign:
    """The campaign of that name, made if it is new; raises `CampaignDiffers` if it exists with another configuration."""

    def write(connection: Connection) -> None:
        if connection.scalar(select(campaigns.c.id).where(campaigns.c.name == name)) is None:
            values = {"name": name, "config": config.model_dump(mode="json"), "config_hash": config.config_hash}
            connection.execute(insert(campaigns).values(**values, state=CampaignState.OPEN, created_at=now()))

    with suppress(IntegrityError):  # another producer opened it in the same moment: compare with theirs
        database.write(write)
    campaign = find_campaign(database, name)
    if campaign.config.config_hash != config.config_hash:
        differences = "; ".join(campaign.config.differences(config))
        raise CampaignDiffers(f"campaign {name!r} exists with another configuration ({differences}): choose another --campaign name")
    return campaign


def freeze_revision(database: Database, campaign_id: int, *, backend: str, model: str, revision: str) -> str:
    """Record the commit that a backend loaded of a model, unless one is recorded already; returns the one that holds."""
    known = frozen_revision(database, campaign_id, backend=backend, model=model)
    if known is not None:
        return known
    row = insert(model_revisions).values(campaign_id=campaign_id, model=_view(backend, model), revision=revision, resolved_at=now())
    with suppress(IntegrityError):  # another worker was first
        database.write(lambda connection: connection.execute(row), single_statement=True)
    return frozen_revision(database, campaign_id, backend=backend, model=model) or revision


def frozen_revision(database: Database, campaign_id: int, *, backend: str, model: str) -> str | None:
    """The commit that this campaign uses of a model; None before the first load."""
    with database.read() as connection:
        mine = (model_revisions.c.campaign_id == campaign_id, model_revisions.c.model == _view(backend, model))
        return connection.scalar(select(model_revisions.c.revision).where(*mine))


def _view(backend: str, model: str) -> str:
    """A prompt writer loads other files of a model than its generator, so each freezes its own view of it."""
    return f"{backend}:{model}"


def _campaign(row: Any) -> Campaign:
    config = CampaignConfig.model_validate(row["config"])
    return Campaign(id=row["id"], name=row["name"], config=config, state=CampaignState(row["state"]))
