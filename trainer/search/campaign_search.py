"""Searching a campaign by the chosen model: what `paragone similar` and `Project.similar` do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from db.campaigns import find_campaign
from trainer.chosen_model import chosen_model
from trainer.data.pair_source import DatabasePairs
from trainer.errors import BadImageFile
from trainer.search.campaign_gallery import GALLERIES, campaign_galleries
from trainer.search.gallery import SearchedPictures
from trainer.search.origin_finder import OriginFinder
from trainer.search.query_files import QueryImage, read_query
from trainer.search.views import QueryViews
from trainer.siamese_model import SiameseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from PIL.Image import Image

    from db.runtime import Runtime
    from trainer.search.origin_finder import OriginSearch

#: Queries that are embedded and searched at once.
_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """What is searched, by what."""

    #: Folder of a trained model; None for the latest.
    model: Path | None = None
    #: None for the one that the model was trained on.
    campaign: str | None = None
    #: This host's local models, which replace those that the model names.
    models: Path | None = None
    pictures: SearchedPictures = SearchedPictures.ORIGINALS
    views: QueryViews = QueryViews.NONE
    k: int = 10


@dataclass(frozen=True, kw_only=True)
class SearchedImage:
    """One image that was asked about: what was found and the image itself, or why it could not be read."""

    name: str
    search: OriginSearch | None = None
    image: Image | None = None
    failure: BadImageFile | None = None


@dataclass(frozen=True, kw_only=True)
class CampaignSearch:
    """A campaign, ready to be searched."""

    model: SiameseModel
    campaign: str
    options: SearchOptions
    finder: OriginFinder
    #: Content hash of each picture that has no vector, and why.
    unreadable: dict[str, str]

    def answers(self, images: Iterable[str | Path | Image]) -> Iterator[SearchedImage]:
        """What is found for each image, in order; one that cannot be read is told, and the others go on."""
        remaining = iter(images)
        number = 0
        while batch := list(islice(remaining, _BATCH)):
            read = [_read(image, number) for number, image in enumerate(batch, number + 1)]
            number += len(batch)
            queries = [one for one in read if isinstance(one, QueryImage)]
            found = iter(self.finder.find(queries, k=self.options.k, views=self.options.views))
            for image, one in zip(batch, read, strict=True):
                if isinstance(one, QueryImage):
                    yield SearchedImage(name=one.name, search=next(found), image=one.image)
                else:
                    yield SearchedImage(name=str(image), failure=one)


def open_campaign_search(
    runtime: Runtime, options: SearchOptions, on_progress: Callable[[str, int, int], None] | None = None
) -> CampaignSearch:
    """Choose the model, and make the galleries that are not there yet.

    `on_progress` is called with "originals" or "repaints", how many are done, and how many there are, while a gallery is made.

    Raises:
        NoTrainedModel, BadModelFolder: there is no model, or none that can be used.
        UnknownCampaign: no campaign has that name.
        NothingToSearch: the campaign has no such pictures.
        PretrainedModelUnavailable, EmbedderMismatch: what the model is over cannot be loaded, or is another than it was trained on.
    """
    model = SiameseModel(chosen_model(runtime, options.model), models=options.models or runtime.settings.models)
    campaign = find_campaign(runtime.database, options.campaign or model.config.campaign)
    source = DatabasePairs(runtime.database, runtime.store, campaign)
    folder = runtime.settings.data_dir / GALLERIES
    galleries = campaign_galleries(model, source, store=runtime.store, folder=folder, pictures=options.pictures, on_progress=on_progress)
    return CampaignSearch(
        model=model,
        campaign=campaign.name,
        options=options,
        finder=OriginFinder(model, galleries, None if model.calibration is None else model.calibration.search),
        unreadable={name: why for gallery in galleries for name, why in gallery.unreadable.items()},
    )


def _read(image: str | Path | Image, number: int) -> QueryImage | BadImageFile:
    try:
        return read_query(image, number)
    except BadImageFile as error:
        return error
