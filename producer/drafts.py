"""Drafts of prompts for a few artworks, as a campaign would write them, before a night is spent on it. Nothing is recorded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db.campaigns import frozen_revision, variation_seed
from db.enums import Stage
from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from db.jobs.batch_keys import parameters_of
from db.results.pairs import read_image_bytes
from db.results.prompt_samples import sample_artworks
from producer.errors import NothingRegistered
from workers.backends.protocol import CaptionRequest, CountingBackend, PromptRequest
from workers.backends.registry import backend_class
from workers.backends.settings.base import CountedBy, PromptSettings
from workers.backends.settings.reading import read_stored_settings
from workers.gpus import chosen_devices, configured_gpus
from workers.model_sources import model_source, tokenizer_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

    from db.campaigns import CampaignConfig
    from db.jobs.batch_keys import Parameters
    from db.results.prompt_samples import SampledArtwork
    from db.runtime import Runtime
    from workers.backends.protocol import AnyBackend, ModelSource, PromptResult
    from workers.backends.settings.base import BackendSettings


@dataclass(frozen=True, kw_only=True)
class PromptDraft:
    """One prompt as a campaign would write it."""

    #: The artwork's key.
    artwork: str
    artwork_id: int
    style: str
    level: str
    caption: str
    #: Whether it was written just now, as no campaign has captioned this artwork yet.
    caption_is_new: bool
    seed: int
    #: The family of briefs that was drawn.
    brief: str
    prompt: str
    #: Its tokens as the generator counts them.
    tokens: int
    draft: str
    draft_tokens: int
    #: How a language model came to it: writer, asked, faults, condensed, fallback; null where none was asked.
    writing: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """Some drafts with the originals they are about."""

    drafts: list[PromptDraft]
    #: By the artwork's id; those that can be read.
    originals: dict[int, Image]


def write_drafts(
    runtime: Runtime,
    config: CampaignConfig,
    *,
    number: int,
    seed: int,
    levels: Sequence[str] = (),
    campaign_id: int | None = None,
) -> Drafts:
    """Prompts for so many artworks, drawn by the seed, at these levels (all of the campaign's if none are named).

    Captions are those of a campaign where there are any, else the campaign's captioner writes them.

    Raises:
        NothingRegistered: there is no artwork that a campaign would take.
        BackendError: a model cannot be loaded, or an endpoint does not answer.
    """
    include = config.include_incomplete
    artworks = sample_artworks(runtime.database, number, seed=seed, campaign_id=campaign_id, include_incomplete=include)
    if not artworks:
        raise NothingRegistered
    originals = {one.artwork_id: image for one in artworks if (image := _original(runtime, one)) is not None}
    described = _captions(runtime, config, artworks, originals, campaign_id)
    drafts = []
    for one in parameters_of(config):
        if one.stage is Stage.PROMPT and one.level is not None and one.level in (levels or config.level):
            drafts += _written(runtime, config, one.parameters, one.level, artworks, described, campaign_id)
    place = {artwork.artwork_id: number for number, artwork in enumerate(artworks)}
    return Drafts(drafts=sorted(drafts, key=lambda draft: place[draft.artwork_id]), originals=originals)


def _written(
    runtime: Runtime,
    config: CampaignConfig,
    parameters: Parameters,
    level: str,
    artworks: Sequence[SampledArtwork],
    described: dict[int, str],
    campaign_id: int | None,
) -> list[PromptDraft]:
    requests = [
        PromptRequest(
            caption=described[one.artwork_id],
            style=one.style,
            artist=one.artist,
            title=one.title,
            level=level,
            seed=variation_seed(campaign_seed=config.seed, artwork_key=one.key, level=level, ordinal=0),
        )
        for one in artworks
        if one.artwork_id in described
    ]
    results: list[PromptResult] = _run(runtime, parameters, requests, campaign_id)
    known = [one for one in artworks if one.artwork_id in described]
    return [
        PromptDraft(
            artwork=one.key,
            artwork_id=one.artwork_id,
            style=one.style,
            level=level,
            caption=request.caption,
            caption_is_new=one.caption is None,
            seed=request.seed,
            brief=result.brief,
            prompt=result.text,
            tokens=result.tokens,
            draft=result.draft,
            draft_tokens=result.draft_tokens,
            writing=None if result.writing is None else dict(result.writing),
        )
        for one, request, result in zip(known, requests, results, strict=True)
    ]


def _captions(
    runtime: Runtime,
    config: CampaignConfig,
    artworks: Sequence[SampledArtwork],
    originals: dict[int, Image],
    campaign_id: int | None,
) -> dict[int, str]:
    """The caption of each artwork that has one or whose original can be read."""
    described = {one.artwork_id: one.caption for one in artworks if one.caption is not None}
    missing = [one.artwork_id for one in artworks if one.artwork_id not in described and one.artwork_id in originals]
    if missing:
        parameters = next(one.parameters for one in parameters_of(config) if one.stage is Stage.CAPTION)
        requests = [CaptionRequest(image=originals[artwork_id]) for artwork_id in missing]
        answers = _run(runtime, parameters, requests, campaign_id)
        described |= {artwork_id: answer.text.strip() for artwork_id, answer in zip(missing, answers, strict=True)}
    return described


def _run(runtime: Runtime, parameters: Parameters, requests: Sequence[object], campaign_id: int | None) -> list[Any]:
    """What the backend of these parameters makes of the requests; it is loaded for them and leaves again."""
    if not requests:
        return []
    kind = backend_class(parameters.backend)
    device = chosen_devices("", configured=configured_gpus(runtime.settings.gpus, os.environ))[0]
    backend: AnyBackend = kind(model=_source(runtime, parameters, campaign_id), device=device.torch_device)
    settings = _settings(runtime, parameters, kind.settings_type, campaign_id)
    backend.load()
    try:
        if isinstance(backend, CountingBackend) and isinstance(settings, PromptSettings):
            backend.count_with(settings)
        starts = range(0, len(requests), parameters.batch)
        return [result for start in starts for result in backend.run(requests[start : start + parameters.batch], settings)]
    finally:
        backend.unload()


def _settings(runtime: Runtime, parameters: Parameters, kind: type[BackendSettings], campaign_id: int | None) -> BackendSettings:
    settings = read_stored_settings(kind, parameters.settings)
    if not isinstance(settings, PromptSettings) or settings.counted_by is None:
        return settings
    source = _source(runtime, tokenizer_view(parameters, settings.counted_by), campaign_id)
    return settings.model_copy(update={"counted_by": CountedBy(model=source.location, revision=source.revision)})


def _source(runtime: Runtime, parameters: Parameters, campaign_id: int | None) -> ModelSource:
    def frozen() -> str | None:
        if campaign_id is None:
            return None
        return frozen_revision(runtime.database, campaign_id, backend=parameters.backend, model=parameters.model)

    return model_source(parameters, models=runtime.settings.models, frozen=frozen)


def _original(runtime: Runtime, artwork: SampledArtwork) -> Image | None:
    try:
        return decode_image(read_image_bytes(runtime.store, artwork.content_hash, artwork.link)).image
    except (BlobMissing, UnreadableImage, OSError):
        return None
