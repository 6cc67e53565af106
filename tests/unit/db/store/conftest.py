"""Stores that belong to no database."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from db.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store in a folder and one in memory, where objects appear whole as they do in S3."""
    return Store.create(str(tmp_path / "store") if request.param == "local" else f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The root of `local`."""
    return tmp_path / "local"


@pytest.fixture
def local(folder: Path) -> Store:
    """An empty store in a folder."""
    return Store.create(str(folder))


@pytest.fixture
def objects() -> Store:
    """An empty store in memory."""
    return Store.create(f"memory://{uuid.uuid4().hex}")
