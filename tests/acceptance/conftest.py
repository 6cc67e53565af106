from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.installation import FAST_POLLING, FinishedDemo, Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def installation(tmp_path: Path, broker_url: str) -> Iterator[Installation]:
    """A machine with SQLite and a Valkey that others could reach."""
    with_broker = Installation(directory=tmp_path / "data", settings={**FAST_POLLING, "PARAGONE_BROKER_URL": broker_url})
    yield with_broker
    with_broker.close()


@pytest.fixture
def embedded_installation(tmp_path: Path) -> Iterator[Installation]:
    """A machine where nothing is configured."""
    alone = Installation(directory=tmp_path / "data")
    yield alone
    alone.close()


@pytest.fixture(scope="session")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedDemo]:
    """The demo, run once: two workers take 24 artworks through every stage with the pocket models, nothing configured."""
    folder = tmp_path_factory.mktemp("demo")
    installation = Installation(directory=folder / "out" / "data")
    done = installation.run("demo", "--artworks", 24, "--out", folder / "out")
    yield FinishedDemo(installation=installation, folder=folder / "out", printed=done.stdout + done.stderr, exit_code=done.returncode)
    installation.close()


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny random models of the real classes."""
    folder = tmp_path_factory.mktemp("tiny") / "models"
    Installation(directory=folder.parent / "data").output_of("tiny-models", folder)
    return folder
