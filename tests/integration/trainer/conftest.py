"""A finished campaign written straight into a database: what the trainer finds when the workers have finished."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import insert

from db.campaigns import CampaignConfig, find_campaign, open_campaign
from db.engine.clock import now
from db.enums import ImageState, JobState, Stage
from db.store import Store
from db.tables import artworks, batch_keys, captions, images, jobs, prompts, variations
from workers.backends.tiny import build_tiny_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import click
    from sqlalchemy import Connection

    from db.campaigns import Campaign
    from db.engine import Database
    from db.settings import Settings

LEVELS = ("moderate", "radical")


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A database and a store with one finished campaign."""

    database: Database
    store: Store
    campaign: Campaign


def jpeg(pixels: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).resize((64, 48), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


class Filler:
    """Writes artworks with two repaints each; an original's colours are its own, its repaints are noisy versions of it."""

    def __init__(self, database: Database, store: Store, config: CampaignConfig) -> None:
        self.store = store
        self.campaign = open_campaign(database, "studies", config)
        self.random = np.random.default_rng(0)

    def fill(self, connection: Connection, count: int, styles: int) -> None:
        keys = {stage: f"studies/{stage}" for stage in Stage}
        rows = [{"batch_key": key, "campaign_id": self.campaign.id, "stage": stage, "parameters": {}} for stage, key in keys.items()]
        connection.execute(insert(batch_keys), rows)
        for number in range(count):
            self.artwork(connection, number, f"Style {number % styles}", self.random.uniform(0, 255, (6, 6, 3)), f"g{number:03}")

    def artwork(self, connection: Connection, number: int, style: str, pixels: np.ndarray[Any, Any], group: str) -> None:
        values = {
            "key": f"painter_work-{number:03}",
            "group_key": group,
            "artist": f"Painter {number % 3}",
            "title": f"GroupedOriginal {number:03}",
            "style": style,
            "styles": [style],
            "picture": ImageState.PRESENT,
            "content_hash": self.store.put(jpeg(pixels)),
            "width": 64,
            "height": 48,
            "registered_at": now(),
        }
        artwork = self._insert(connection, artworks, **values)
        job = self._job(connection, artwork, None, Stage.CAPTION)
        self._caption(connection, job, f"a study of number {number}", artwork_id=artwork)
        for strength, level in zip((18, 40), LEVELS, strict=True):
            self._repaint(connection, artwork, level, pixels + self.random.normal(0, strength, pixels.shape))

    def _repaint(self, connection: Connection, artwork: int, level: str, pixels: np.ndarray[Any, Any]) -> None:
        campaign = {"campaign_id": self.campaign.id, "artwork_id": artwork}
        variation = self._insert(connection, variations, **campaign, level=level, ordinal=0, seed=7)
        written = self._job(connection, artwork, variation, Stage.PROMPT)
        text = {"draft": "d", "text": f"a {level} reading of the scene, in warm light", "draft_tokens": 9, "tokens": 9, "brief": "material"}
        made_by = {"model": "m", "revision": "r", "current": True, "created_at": now()}
        prompt = self._insert(connection, prompts, job_id=written, campaign_id=self.campaign.id, variation_id=variation, **text, **made_by)
        generated = self._job(connection, artwork, variation, Stage.GENERATE)
        data = jpeg(pixels)
        content_hash = self.store.put(data)
        facts = {
            "format": "jpeg",
            "byte_size": len(data),
            "width": 64,
            "height": 48,
            "content_box": [0, 0, 64, 48],
            "provenance": {},
            "seed": 7,
        }
        image = self._insert(
            connection,
            images,
            job_id=generated,
            **campaign,
            variation_id=variation,
            prompt_id=prompt,
            content_hash=content_hash,
            pixel_hash=hashlib.sha256(data).hexdigest(),
            **facts,
            worker_id="w",
            current=True,
            created_at=now(),
        )
        recaptioned = self._job(connection, artwork, variation, Stage.RECAPTION)
        self._caption(connection, recaptioned, f"the {level} one", artwork_id=artwork, variation_id=variation, image_id=image)

    def _job(self, connection: Connection, artwork: int, variation: int | None, stage: Stage) -> int:
        place = {"campaign_id": self.campaign.id, "artwork_id": artwork, "variation_id": variation, "stage": stage}
        key = f"{artwork}/{variation}/{stage}"
        times = {"created_at": now(), "changed_at": now()}
        return self._insert(connection, jobs, job_key=key, batch_key=f"studies/{stage}", state=JobState.DONE, **place, **times)

    def _caption(self, connection: Connection, job: int, text: str, **about: int) -> None:
        self._insert(
            connection,
            captions,
            job_id=job,
            campaign_id=self.campaign.id,
            **about,
            text=text,
            model="m",
            revision="r",
            current=True,
            created_at=now(),
        )

    @staticmethod
    def _insert(connection: Connection, table: Any, **values: Any) -> int:
        return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


@dataclass(frozen=True, kw_only=True)
class OpenRuntime:
    """What the commands use of a `Runtime`, on the test's own database and store."""

    settings: Settings
    database: Database
    store: Store


def call(command: click.Command, runtime: OpenRuntime, *arguments: object) -> Any:
    """The JSON that a command prints; its error is raised."""
    result = CliRunner().invoke(command, [*map(str, arguments), "--json"], obj=runtime)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny random models of the real classes."""
    torch.set_num_threads(1)
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def fill(tmp_path: Path) -> Callable[..., Filled]:
    """Fill a database with a finished campaign of so many artworks in so many styles."""

    def fill_database(database: Database, *, count: int = 30, styles: int = 5, models: Path | None = None) -> Filled:
        store = Store.create(str(tmp_path / "store"))
        config = CampaignConfig(models_directory=str(models or ""), caption={"model": "local:captioner"} if models else {})
        filler = Filler(database, store, config)
        with database.engine.begin() as connection:
            filler.fill(connection, count, styles)
        return Filled(database=database, store=store, campaign=find_campaign(database, "studies"))

    return fill_database


@pytest.fixture
def studies(sqlite_database: Database, fill: Callable[..., Filled]) -> Filled:
    """Thirty artworks in five styles on SQLite."""
    return fill(sqlite_database)
