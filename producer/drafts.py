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
    writer = _DraftWriter(runtime=runtime, config=config, campaign_id=campaign_id)
    described = writer.captions(artworks, originals)
    artworks = [one for one in artworks if one.artwork_id in described]
    drafts = []
    for one in parameters_of(config):
        if one.stage is Stage.PROMPT and one.level is not None and one.level in (levels or config.level):
            drafts += writer.prompts(one.parameters, one.level, artworks, described)
    position = {artwork.artwork_id: number for number, artwork in enumerate(artworks)}
    return Drafts(drafts=sorted(drafts, key=lambda draft: position[draft.artwork_id]), originals=originals)


@dataclass(frozen=True, kw_only=True)
class _DraftWriter:
    """Runs the backends of one configuration, without jobs."""

    runtime: Runtime
    config: CampaignConfig
    campaign_id: int | None

    def captions(self, artworks: Sequence[SampledArtwork], originals: dict[int, Image]) -> dict[int, str]:
        """The caption of each artwork that has one or whose original can be read."""
        described = {one.artwork_id: one.caption for one in artworks if one.caption is not None}
        missing = [one.artwork_id for one in artworks if one.artwork_id not in described and one.artwork_id in originals]
        parameters = next(one.parameters for one in parameters_of(self.config) if one.stage is Stage.CAPTION)
        answers = self._run(parameters, [CaptionRequest(image=originals[artwork_id]) for artwork_id in missing])
        return described | {artwork_id: answer.text.strip() for artwork_id, answer in zip(missing, answers, strict=True)}

    def prompts(
        self, parameters: Parameters, level: str, artworks: Sequence[SampledArtwork], described: dict[int, str]
    ) -> list[PromptDraft]:
        """One draft for each artwork, with the seed that its first repaint at this level would have."""
        seeds = [variation_seed(campaign_seed=self.config.seed, artwork_key=one.key, level=level, ordinal=0) for one in artworks]
        requests = [
            PromptRequest(caption=described[one.artwork_id], style=one.style, artist=one.artist, title=one.title, level=level, seed=seed)
            for one, seed in zip(artworks, seeds, strict=True)
        ]
        results: list[PromptResult] = self._run(parameters, requests)
        return [_draft(one, request, result) for one, request, result in zip(artworks, requests, results, strict=True)]

    def _run(self, parameters: Parameters, requests: Sequence[object]) -> list[Any]:
        """What the backend of these parameters makes of the requests; it is loaded for them and leaves again."""
        if not requests:
            return []
        kind = backend_class(parameters.backend)
        device = chosen_devices("", configured=configured_gpus(self.runtime.settings.gpus, os.environ))[0]
        backend: AnyBackend = kind(model=self._source(parameters), device=device.torch_device)
        settings = self._settings(parameters, kind.settings_type)
        backend.load()
        try:
            if isinstance(backend, CountingBackend) and isinstance(settings, PromptSettings):
                backend.count_with(settings)
            starts = range(0, len(requests), parameters.batch)
            return [result for start in starts for result in backend.run(requests[start : start + parameters.batch], settings)]
        finally:
            backend.unload()

    def _settings(self, parameters: Parameters, kind: type[BackendSettings]) -> BackendSettings:
        settings = read_stored_settings(kind, parameters.settings)
        if not isinstance(settings, PromptSettings) or settings.counted_by is None:
            return settings
        source = self._source(tokenizer_view(parameters, settings.counted_by))
        return settings.model_copy(update={"counted_by": CountedBy(model=source.location, revision=source.revision)})

    def _source(self, parameters: Parameters) -> ModelSource:
        return model_source(parameters, models=self.runtime.settings.models, frozen=lambda: self._frozen(parameters))

    def _frozen(self, parameters: Parameters) -> str | None:
        if self.campaign_id is None:
            return None
        return frozen_revision(self.runtime.database, self.campaign_id, backend=parameters.backend, model=parameters.model)


def _draft(artwork: SampledArtwork, request: PromptRequest, result: PromptResult) -> PromptDraft:
    return PromptDraft(
        artwork=artwork.key,
        artwork_id=artwork.artwork_id,
        style=artwork.style,
        level=request.level,
        caption=request.caption,
        caption_is_new=artwork.caption is None,
        seed=request.seed,
        brief=result.brief,
        prompt=result.text,
        tokens=result.tokens,
        draft=result.draft,
        draft_tokens=result.draft_tokens,
        writing=None if result.writing is None else dict(result.writing),
    )


def _original(runtime: Runtime, artwork: SampledArtwork) -> Image | None:
    try:
        return decode_image(read_image_bytes(runtime.store, artwork.content_hash, artwork.link)).image
    except (BlobMissing, UnreadableImage, OSError):
        return None
