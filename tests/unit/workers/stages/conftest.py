"""A store in memory with images, and the context of a batch."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from db.jobs.batch_keys import Parameters
from db.store import Store
from workers.backends.settings.base import BackendSettings, PromptSettings
from workers.backends.settings.img2img import Img2ImgSettings
from workers.stages import StageContext

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def store() -> Store:
    """An empty store."""
    return Store.create(f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def put(store: Store) -> Callable[[Image.Image], str]:
    """Put an image into the store as PNG; returns its hash."""

    def put(image: Image.Image) -> str:
        data = BytesIO()
        image.save(data, "PNG")
        return store.put(data.getvalue())

    return put


@pytest.fixture
def context(store: Store) -> Callable[..., StageContext[BackendSettings]]:
    """The context of a batch of captions or repaints on a 64 px canvas; `picture` adds to its section, the rest is stored as settings."""

    def build(*, model: str = "some/model", picture: dict[str, Any] | None = None, **settings: Any) -> StageContext[BackendSettings]:
        parameters = parameters_of(model=model, picture={"size": 64, "format": "png", "quality": 95} | (picture or {}), settings=settings)
        typed = Img2ImgSettings(**{"strength": 0.5, "steps": 4, "guidance": 7.5, **settings})
        return StageContext(parameters=parameters, settings=typed, store=store)

    return build


@pytest.fixture
def prompt_context(store: Store) -> StageContext[PromptSettings]:
    """The context of a batch of prompts of at most 75 tokens."""
    settings = PromptSettings(max_tokens=75, target_tokens=55, brief_set=("radical",))
    return StageContext(parameters=parameters_of(model="some/model", picture={}, settings={}), settings=settings, store=store)


def parameters_of(*, model: str, picture: dict[str, Any], settings: dict[str, Any]) -> Parameters:
    """Parameters of some backend."""
    return Parameters(
        backend="some-backend",
        model=model,
        revision="main",
        dtype="auto",
        batch=8,
        models_directory="",
        settings=settings,
        picture=picture,
    )


@pytest.fixture
def scene() -> Image.Image:
    """A wide image of 96 x 48 px whose colours tell where one is: red grows to the right, green downwards."""
    image = Image.new("RGB", (96, 48))
    image.putdata([(x * 255 // 95, y * 255 // 47, 90) for y in range(48) for x in range(96)])
    return image
