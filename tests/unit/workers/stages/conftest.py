"""A store in memory with pictures, and the context of a batch."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from db.jobs.batch_keys import Parameters
from db.store import Store
from workers.stages import Context

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def store() -> Store:
    """An empty store."""
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.prepare()
    return store


@pytest.fixture
def put(store: Store) -> Callable[[Image.Image], str]:
    """Put a picture into the store as PNG; returns its hash."""

    def put(image: Image.Image) -> str:
        data = BytesIO()
        image.save(data, "PNG")
        return store.put(data.getvalue())

    return put


@pytest.fixture
def context(store: Store) -> Callable[..., Context]:
    """The context of a batch on a 64 px canvas; `picture` adds to its section, the rest are the backend's settings."""

    def build(*, model: str = "some/model", revision: str = "abc123", picture: dict[str, Any] | None = None, **settings: Any) -> Context:
        parameters = Parameters(
            backend="some-backend",
            model=model,
            revision="main",
            dtype="auto",
            batch=8,
            models_directory="",
            settings=settings,
            picture={"size": 64, "format": "png", "quality": 95} | (picture or {}),
        )
        return Context(parameters=parameters, revision=revision, store=store)

    return build


@pytest.fixture
def scene() -> Image.Image:
    """A wide picture of 96 x 48 px whose colours tell where one is: red grows to the right, green downwards."""
    image = Image.new("RGB", (96, 48))
    image.putdata([(x * 255 // 95, y * 255 // 47, 90) for y in range(48) for x in range(96)])
    return image
