"""What must be equal within one batch: the campaign, the stage, and every parameter of its model and run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from db.enums import CampaignState, Stage
from db.jobs.tables import batch_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from db.campaigns import BackendConfig, Campaign, CampaignConfig, Level


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What a worker needs to know of a batch beside its jobs; equal for all of them."""

    backend: str
    #: Hub id, or `local:NAME` within `models_directory`.
    model: str
    revision: str
    dtype: str
    #: Most jobs in one batch.
    batch: int
    models_directory: str
    #: The backend's settings as the campaign gives them; the backend's own model checks and completes them.
    settings: dict[str, Any]
    #: The campaign's picture section: size, format, quality.
    picture: dict[str, Any]


def batch_key(campaign_id: int, stage: Stage, level: str | None = None) -> str:
    """The name of one kind of batch, such as `c1/generate/radical`; stages that do not differ by level share one."""
    if stage in {Stage.PROMPT, Stage.GENERATE}:
        return f"c{campaign_id}/{stage}/{level}"
    return f"c{campaign_id}/{stage}"


@dataclass(frozen=True, kw_only=True)
class StageParameters:
    """The parameters of one kind of batch."""

    stage: Stage
    #: None for stages that do not differ by level.
    level: str | None
    parameters: Parameters


def parameters_of(config: CampaignConfig) -> Iterator[StageParameters]:
    """The parameters of every kind of batch that a campaign of this configuration has, in the order of its stages."""
    for stage in config.stages:
        if stage is Stage.PROMPT:
            for name, level in config.level.items():
                yield StageParameters(stage=stage, level=name, parameters=_of_prompts(config, name, level))
        elif stage is Stage.GENERATE:
            for name, level in config.level.items():
                settings = {**level.settings, "strength": level.strength, "guidance": level.guidance, "steps": level.steps}
                yield StageParameters(stage=stage, level=name, parameters=_of(config, level, settings))
        else:
            yield StageParameters(stage=stage, level=None, parameters=_of(config, config.caption, config.caption.settings))


def write_batch_keys(connection: Connection, campaign: Campaign) -> None:
    """Write the campaign's batch keys with their parameters, once."""
    known = set(connection.scalars(select(batch_keys.c.batch_key).where(batch_keys.c.campaign_id == campaign.id)))
    for one in parameters_of(campaign.config):
        name = batch_key(campaign.id, one.stage, one.level)
        if name not in known:
            values = {"batch_key": name, "campaign_id": campaign.id, "stage": str(one.stage), "parameters": vars(one.parameters)}
            connection.execute(insert(batch_keys).values(**values, paused=campaign.state is CampaignState.PAUSED))


def _of_prompts(config: CampaignConfig, name: str, level: Level) -> Parameters:
    # The writer counts with the tokenizer of the generator that will read the prompt.
    generator = {"model": level.model, "revision": level.revision}
    limits = {"max_tokens": config.prompt.max_tokens, "target_tokens": config.prompt.target_tokens}
    settings = {**config.prompt.settings, **limits, "brief_set": level.brief or name}
    if config.prompt.model:
        return _of(config, config.prompt, {**settings, "counted_by": generator})
    return _of(config, config.prompt.model_copy(update=generator), settings)


def _of(config: CampaignConfig, model: BackendConfig, settings: dict[str, Any]) -> Parameters:
    return Parameters(
        backend=model.backend,
        model=model.model,
        revision=model.revision,
        dtype=model.dtype,
        batch=model.batch,
        models_directory=config.models_directory,
        settings=settings,
        picture=config.picture.model_dump(mode="json"),
    )
