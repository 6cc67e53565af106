"""A finished campaign whose images are really in the store: what an export finds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image
from sqlalchemy import select, update

from db.tables import artworks, images
from tests.builders.campaign_harness import CampaignHarness, harness_of

if TYPE_CHECKING:
    from pathlib import Path

    from db.runtime import Runtime

#: File formats of originals, in turn.
FORMATS = ("JPEG", "PNG", "WEBP")
STYLES = ("Baroque", "Rococo", "Cubism")


@dataclass(frozen=True, kw_only=True)
class Exportable:
    """A runtime with one finished campaign of fakes."""

    runtime: Runtime
    harness: CampaignHarness

    def change(self, table: Any, where: Any, **values: Any) -> None:
        """Write into rows."""
        with self.runtime.database.engine.begin() as connection:
            connection.execute(update(table).where(where).values(**values))


def exportable(runtime: Runtime, count: int = 12, **settings: Any) -> Exportable:
    """So many artworks in three styles, two repaints each, sizes of originals 40 x 30 and of repaints 64 x 48 pixels."""
    harness = harness_of(runtime.database, count, **settings)
    for number, row in enumerate(harness.rows(artworks)):
        data = image_bytes(f"original {row['key']}", (40, 30), FORMATS[number % len(FORMATS)])
        style = STYLES[number % len(STYLES)]
        values = {"style": style, "styles": [style, "Art"], "subset": ("train", "test", None)[number % 3], "width": 40, "height": 30}
        _update(runtime, artworks, row["id"], content_hash=runtime.store.put(data), **values)
    harness.run_all()
    for row in harness.rows(images):
        content_hash = runtime.store.put(image_bytes(f"repaint {row['pixel_hash']}", (64, 48), "PNG"))
        _update(
            runtime, images, row["id"], content_hash=content_hash, provenance={"model": "painter", "revision": "r1", "seed": row["seed"]}
        )
    return Exportable(runtime=runtime, harness=harness)


def image_bytes(name: str, size: tuple[int, int], format: str) -> bytes:  # noqa: A002  # Pillow's word
    """A small image of its own for each name."""
    digest = hashlib.sha256(name.encode()).digest()
    small = Image.frombytes("RGB", (2, 2), digest[:12])
    buffer = BytesIO()
    small.resize(size, Image.Resampling.BICUBIC).save(buffer, format)
    return buffer.getvalue()


def link_original(made: Exportable, folder: Path) -> Path:
    """Move the first original out of the store to a file of its own, as `ingest --link` leaves it."""
    with made.runtime.database.read() as connection:
        row = connection.execute(select(artworks).order_by(artworks.c.id)).mappings().first()
    assert row is not None
    path = folder / "linked.jpg"
    path.write_bytes(made.runtime.store.get(row["content_hash"]))
    made.runtime.store.delete(row["content_hash"])
    made.change(artworks, artworks.c.id == row["id"], link=str(path))
    return path


def _update(runtime: Runtime, table: Any, row_id: int, **values: Any) -> None:
    with runtime.database.engine.begin() as connection:
        connection.execute(update(table).where(table.c.id == row_id).values(**values))
