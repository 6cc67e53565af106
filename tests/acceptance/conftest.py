from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.place import QUICK, Demonstrated, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, broker_url: str) -> Iterator[Place]:
    """A machine with SQLite and a Valkey that others could reach."""
    with_broker = Place(directory=tmp_path / "data", settings={**QUICK, "PARAGONE_BROKER_URL": broker_url})
    yield with_broker
    with_broker.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Place]:
    """A machine where nothing is configured."""
    alone = Place(directory=tmp_path / "data")
    yield alone
    alone.close()


@pytest.fixture(scope="session")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstrated]:
    """The demo, run once: two workers take 24 artworks along all of the path with the pocket models, embedded."""
    folder = tmp_path_factory.mktemp("demo")
    place = Place(directory=folder / "out" / "data")
    done = place.tries("demo", "--artworks", 24, "--out", folder / "out")
    yield Demonstrated(place=place, folder=folder / "out", printed=done.stdout + done.stderr, exit_code=done.returncode)
    place.close()


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny random models of the real classes."""
    folder = tmp_path_factory.mktemp("tiny") / "models"
    Place(directory=folder.parent / "data").types("tiny-models", folder)
    return folder
