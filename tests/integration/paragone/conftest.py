"""A project whose every stage is a fake, worked on by real worker processes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import paragone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A campaign file's content: one of the fakes refuses what it is told to.
FAKES: dict[str, Any] = {
    "name": "fakes",
    "caption": {"backend": "fake-caption", "model": ""},
    "prompt": {"backend": "fake-prompt"},
    "picture": {"size": 64},
    "level": {
        name: {"backend": "fake-repaint", "model": "", "steps": 4, "strength": 0.5, "settings": settings}
        for name, settings in {"moderate": {}, "radical": {"fail": {"kind": "bad", "when": "Pop Art"}}}.items()
    },
}


@dataclass(frozen=True, kw_only=True)
class Worked:
    """A project after its work."""

    project: paragone.Project
    samples: Path
    planned: paragone.EnqueueResult


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worked]:
    """Six sample artworks with both levels; the radical one fails where the fake repainter is told to."""
    folder = tmp_path_factory.mktemp("project")
    samples = paragone.paint_samples(folder / "samples", count=6, size=64).folder
    with pytest.MonkeyPatch.context() as environment, paragone.open(folder / "data") as project:
        for name in [name for name in os.environ if name.startswith("PARAGONE_")]:
            environment.delenv(name)
        project.ingest(samples / "classes.csv")
        planned = project.enqueue(config=FAKES)
        project.work(gpus="none")
        yield Worked(project=project, samples=samples, planned=planned)
