"""What several benchmarks share: real images in a store, artworks in the database, worker processes with their settings."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from db.engine.bulk import bulk_insert
from db.enums import ImageState
from db.tables import artworks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from db.engine import Database
    from db.settings import Settings

MUSEUM = Path(__file__).parents[2] / "shared" / "data" / "museum"
COLUMNS = ("key", "group_key", "artist", "style", "styles", "picture", "content_hash", "width", "height", "registered_at")

#: Hash, width and height of an image.
Facts = tuple[str, int, int]


def register(database: Database, name: str, count: int, originals: Sequence[Facts] = (("0" * 64, 16, 16),)) -> None:
    """Register `count` artworks with these originals in turn."""
    shown = (originals[number % len(originals)] for number in range(count))
    rows = (
        (f"{name}-{number}", f"{name}-{number}", "a b", "style", '["style"]', str(ImageState.PRESENT), *facts, 0.0)
        for number, facts in enumerate(shown)
    )
    with database.engine.begin() as connection:
        bulk_insert(connection, artworks, COLUMNS, rows)


def paintings(count: int, pixels: int) -> Iterator[Image.Image]:
    """RGB images with a longer side of `pixels`: the museum's paintings if they are there, else gradients under grain."""
    files = sorted(MUSEUM.glob("*/*.png"))
    for number in range(count):
        image = Image.open(files[number * 7 % len(files)]).convert("RGB") if files else _grain(number)
        scale = pixels / max(image.size)
        yield image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def jpeg(image: Image.Image) -> bytes:
    """As a camera or a museum's page would give it."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """A worker process' environment: these settings, and the repository on its path."""
    return {
        **os.environ,
        "PARAGONE_DATA_DIR": str(settings.data_dir),
        "PARAGONE_DATABASE_URL": settings.database_url.get_secret_value(),
        "PARAGONE_BROKER_URL": settings.broker_url.get_secret_value(),
        **more,
    }


def _grain(number: int) -> Image.Image:
    size = (1024, 640 + 64 * (number % 7))
    ramp = Image.linear_gradient("L").rotate(45 * number).resize(size)
    bands = [Image.blend(ramp, Image.effect_noise(size, 30 + 8 * band), 0.25) for band in range(3)]
    return Image.merge("RGB", bands)
