"""Originals and their repaints as a notebook wants them: facts, and the image when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.images import decode_image
from db.results.pairs import Original, Repaint, originals, read_image_bytes, repaints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

    from db.engine import Database
    from db.store import Store


@dataclass(frozen=True, kw_only=True)
class StoredOriginal(Original):
    """An artwork's own image: its facts, and the image from the store or from where it was left."""

    store: Store = field(repr=False, compare=False)

    def image(self) -> Image:
        """The image, upright RGB, read anew at each call; raises `BlobMissing`, `StoreUnavailable`, `UnreadableImage`."""
        return decode_image(read_image_bytes(self.store, self.content_hash, self.link)).image


@dataclass(frozen=True, kw_only=True)
class StoredRepaint(Repaint):
    """A repaint: level, seed, prompt, captions, provenance, and the image from the store."""

    store: Store = field(repr=False, compare=False)

    def image(self) -> Image:
        """The image, RGB, in the original's shape, read anew at each call; raises `BlobMissing`, `StoreUnavailable`, `UnreadableImage`."""
        return decode_image(self.store.get(self.content_hash)).image


@dataclass(frozen=True, kw_only=True)
class RepaintPair:
    """An original and one of its current repaints."""

    original: StoredOriginal
    repaint: StoredRepaint


def stored_originals(database: Database, store: Store, campaign_id: int | None) -> Iterator[StoredOriginal]:
    """Originals whose image is there, by id; with a campaign only those that it repaints."""
    for original in originals(database, campaign_id):
        yield StoredOriginal(**vars(original), store=store)


def repaint_pairs(database: Database, store: Store, campaign_id: int, level: str | None) -> Iterator[RepaintPair]:
    """The current repaints of a campaign with their originals, by artwork, level and ordinal."""
    known = {original.artwork_id: original for original in stored_originals(database, store, campaign_id)}
    for repaint in repaints(database, campaign_id):
        # A repaint whose original was lost from the catalogue since the first query is no pair.
        if level in {None, repaint.level} and repaint.artwork_id in known:
            yield RepaintPair(original=known[repaint.artwork_id], repaint=StoredRepaint(**vars(repaint), store=store))
