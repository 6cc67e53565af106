"""The galleries of a campaign: its originals, its repaints, or both, by one model's vectors."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from trainer.data.embeddings import ImageReference
from trainer.data.shown_parts import shown_parts
from trainer.errors import NothingToSearch
from trainer.model_folder import CONFIG, WEIGHTS
from trainer.search.gallery import PictureKind, SearchGallery, original_picture, repaint_picture
from trainer.search.vector_files import VectorFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.store import Store
    from trainer.data.pair_source import PairSource
    from trainer.search.gallery import GalleryPicture, SearchedPictures
    from trainer.siamese_model import SiameseModel

#: Folder of galleries in the data directory.
GALLERIES = "galleries"


def campaign_galleries(
    model: SiameseModel,
    source: PairSource,
    *,
    store: Store,
    folder: Path,
    pictures: SearchedPictures,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> tuple[SearchGallery, ...]:
    """One gallery a kind; vectors that are not in the embedding cache are computed and kept there.

    `on_progress` is called with "originals" or "repaints", how many are done, and how many there are, while a gallery is made.

    Raises:
        NothingToSearch: there is no such picture.
        PretrainedModelUnavailable, EmbedderMismatch: as of `SiameseModel.embed`; only where vectors have to be made.
    """
    galleries = []
    for kind, found in _pictures(source, pictures).items():
        if not found:
            raise NothingToSearch(f"campaign {source.campaign.name!r} has no {kind}s yet: run `paragone work`")
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{source.campaign.name}-{kind}s")
        file = VectorFile(folder, name=name, model=_digest(model.directory), references=[reference for _, reference in found])
        index, missing = file.open(
            lambda references, progress: model.embed_stored(references, store, read_image=source.read_image, on_progress=progress),
            None if on_progress is None else lambda done, total, kind=kind: on_progress(f"{kind}s", done, total),  # type: ignore[misc]
        )
        galleries.append(
            SearchGallery(
                kind=kind,
                pictures=tuple(picture for place, (picture, _) in enumerate(found) if place not in missing),
                index=index,
                unreadable={found[place][0].content_hash: why for place, why in missing.items()},
            )
        )
    return tuple(galleries)


def _pictures(source: PairSource, pictures: SearchedPictures) -> dict[PictureKind, list[tuple[GalleryPicture, ImageReference]]]:
    """By kind the pictures with what is embedded of them: of an original the part that its repaints show."""
    originals, repaints = source.originals(), source.repaints()
    parts = shown_parts(repaints)
    by_id = {original.artwork_id: original for original in originals}
    found: dict[PictureKind, list[tuple[GalleryPicture, ImageReference]]] = {}
    if PictureKind.ORIGINAL in pictures.kinds:
        found[PictureKind.ORIGINAL] = [
            (
                original_picture(original),
                ImageReference(content_hash=original.content_hash, link=original.link, box=parts.get(original.content_hash)),
            )
            for original in originals
        ]
    if PictureKind.REPAINT in pictures.kinds:
        found[PictureKind.REPAINT] = [
            (repaint_picture(repaint, by_id[repaint.artwork_id]), ImageReference(content_hash=repaint.content_hash))
            for repaint in repaints
            if repaint.artwork_id in by_id
        ]
    return found


def _digest(directory: Path) -> str:
    """What the model's vectors follow from: its weights, and its configuration, which names what they are over."""
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        digest.update((directory / name).read_bytes())
    return digest.hexdigest()
