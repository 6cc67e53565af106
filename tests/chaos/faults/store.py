"""What a store does: it is gone, something else lies in its place, it cannot be written, it is full."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Hit, Lane, Missed, Scene, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Seconds of a long outage.
LONG_SECONDS = 12.0


@fault("store gone", Lane.STORE, weight=2)
@contextmanager
def gone(scene: Scene) -> Iterator[Hit]:
    """Nothing is left at its path."""
    with _replaced(scene, lambda _path: None) as hit:
        yield hit


@fault("store gone for long", Lane.STORE, weight=0.2)
@contextmanager
def gone_for_long(scene: Scene) -> Iterator[Hit]:
    """Nothing is left at its path, for longer than the retries of a job take in a short run."""
    with _replaced(scene, lambda _path: None, seconds=LONG_SECONDS) as hit:
        yield hit


@fault("store no directory", Lane.STORE, weight=1)
@contextmanager
def no_directory(scene: Scene) -> Iterator[Hit]:
    """A file stands at its path."""
    with _replaced(scene, lambda path: path.write_text("no directory")) as hit:
        yield hit


@fault("store emptied", Lane.STORE, weight=3)
@contextmanager
def emptied(scene: Scene) -> Iterator[Hit]:
    """An empty folder in its place: a mount point without its mount."""
    with _replaced(scene, lambda path: path.mkdir()) as hit:
        yield hit


@fault("store of another", Lane.STORE, weight=1)
@contextmanager
def another(scene: Scene) -> Iterator[Hit]:
    """The store of another installation, with all that is in it but no blob of ours."""

    def other(path: Path) -> None:
        shutil.copytree(scene.world.other_store, path)

    with _replaced(scene, other) as hit:
        yield hit


@fault("store read-only", Lane.STORE, weight=2, own_disk=True)
@contextmanager
def read_only(scene: Scene) -> Iterator[Hit]:
    """Its file system refuses every write."""
    under_way = scene.need_work()
    if not scene.world.disk.make_read_only():
        raise Missed
    try:
        yield Hit(what=f"{under_way} jobs under way", seconds=scene.outage())
    finally:
        scene.world.disk.make_writable()


@fault("store full", Lane.STORE, weight=2, own_disk=True)
@contextmanager
def full(scene: Scene) -> Iterator[Hit]:
    """No byte is free on its file system."""
    under_way = scene.need_work()
    scene.world.disk.fill()
    try:
        yield Hit(what=f"{under_way} jobs under way", seconds=scene.outage())
    finally:
        scene.world.disk.empty()


@contextmanager
def _replaced(scene: Scene, put_in_place: Callable[[Path], object], *, seconds: float | None = None) -> Iterator[Hit]:
    """Something else stands where the store was; what was written there meanwhile is a complaint."""
    store = scene.world.store
    hit = Hit(what=f"{scene.need_work()} jobs under way", seconds=seconds or scene.outage())
    away = store.with_name("away")
    store.rename(away)
    put_in_place(store)
    before = _files(store)
    try:
        yield hit
    finally:
        written = _files(store) - before
        if written:
            hit.complaints.append(f"{len(written)} files were written where no store was, such as {min(written)}")
        aside = store.with_name("aside")
        if store.is_symlink() or store.exists():
            store.rename(aside)
        # A worker may make the path anew in between: what is in the way goes.
        _bring_back(away, store)
        if aside.is_dir():
            shutil.rmtree(aside)
        else:
            aside.unlink(missing_ok=True)


def _bring_back(away: Path, store: Path) -> None:
    for _ in range(100):
        try:
            away.rename(store)
        except OSError:
            shutil.rmtree(store, ignore_errors=True)
        else:
            return
    raise RuntimeError(f"{store} cannot be put back")


def _files(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
