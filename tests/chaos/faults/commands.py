"""An operator in the middle of it: enqueue, requeue, pause, cancel, gc, status."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Hit, Lane, Missed, Scene, fault
from tests.chaos.plan import EACH, LEVELS, STYLES
from tests.chaos.world import MAIN

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

#: Share of the faults after which nothing is asked for that takes minutes to fail again.
LATE = 0.7


@fault("status", Lane.COMMAND, weight=1)
@contextmanager
def status(scene: Scene) -> Iterator[Hit]:
    """Looks at everything."""
    yield _run(scene, "status", "--json")


@fault("requeue what is done", Lane.COMMAND, weight=4)
@contextmanager
def requeue_done(scene: Scene) -> Iterator[Hit]:
    """Everything of one style is made again from one stage on."""
    stage = scene.rng.choice(("caption", "prompt", "generate", "recaption"))
    yield _run(scene, "requeue", "--campaign", MAIN, "--done", "--stage", stage, "--style", scene.rng.choice(STYLES).replace("_", " "))


@fault("requeue what has failed", Lane.COMMAND, weight=0.5)
@contextmanager
def requeue_failed(scene: Scene) -> Iterator[Hit]:
    """All that is planted fails once more."""
    if scene.progress > LATE or not scene.watch.sight.states.get("failed"):
        raise Missed
    yield _run(scene, "requeue", "--campaign", MAIN, "--all-failed")


@fault("requeue with a new seed", Lane.COMMAND, weight=1)
@contextmanager
def requeue_new_seed(scene: Scene) -> Iterator[Hit]:
    """The repaints of one artwork are made anew from another seed."""
    artwork = str(scene.rng.randrange(scene.world.plan.artworks // 2, scene.world.plan.artworks * 2 // 3))
    yield _run(scene, "requeue", "--campaign", MAIN, "--done", "--stage", "generate", "--artwork", artwork, "--new-seed")


@fault("enqueue more", Lane.COMMAND, weight=2)
@contextmanager
def enqueue_more(scene: Scene) -> Iterator[Hit]:
    """The campaign grows; late in the run this adds nothing."""
    share = 2 / 3 + min(1.0, scene.progress / 0.8) / 3
    yield _run(scene, "enqueue", "--campaign", MAIN, "--limit", max(1, round(scene.world.plan.artworks * share)))


@fault("enqueue twice at once", Lane.COMMAND, weight=1)
@contextmanager
def enqueue_twice(scene: Scene) -> Iterator[Hit]:
    """Two operators enqueue the same at the same moment."""
    share = 2 / 3 + min(1.0, scene.progress / 0.8) / 3
    arguments = ("enqueue", "--campaign", MAIN, "--limit", max(1, round(scene.world.plan.artworks * share)))
    other = threading.Thread(target=scene.world.run, args=arguments)
    other.start()
    try:
        yield _run(scene, *arguments)
    finally:
        other.join()


@fault("pause and resume", Lane.COMMAND, weight=1)
@contextmanager
def pause(scene: Scene) -> Iterator[Hit]:
    """The campaign stands still for a moment."""
    scene.need_work()
    _run(scene, "pause", "--campaign", MAIN)
    hit = Hit(what="the campaign", seconds=scene.rng.uniform(0.5, 2))
    try:
        yield hit
    finally:
        hit.complaints += until_done(scene, "resume", "--campaign", MAIN)


@fault("cancel a campaign", Lane.COMMAND, weight=1)
@contextmanager
def cancel(scene: Scene) -> Iterator[Hit]:
    """Another campaign is planned and cancelled while it is worked on."""
    name = f"side-{scene.rng.randrange(10**6)}"
    plan = scene.world.plan
    file = plan.write_campaign(scene.world.directory / f"{name}.toml", clockwork=scene.clockwork, levels=LEVELS[:1])
    first = plan.artworks // 3
    _run(scene, "enqueue", "--campaign", name, "--config", file, "--limit", first, "--priority", "1")
    hit = Hit(what=f"a campaign of {first * EACH // 2} repaints", seconds=scene.rng.uniform(0.5, 2))
    try:
        yield hit
    finally:
        hit.complaints += until_done(scene, "cancel", "--campaign", name, "--yes")


@fault("gc without grace", Lane.COMMAND, weight=1)
@contextmanager
def gc_without_grace(scene: Scene) -> Iterator[Hit]:
    """Must not take what is about to be committed; it may refuse."""
    scene.need_work()
    yield _run(scene, "gc", "--grace", "0s", may_refuse=True)


@fault("gc", Lane.COMMAND, weight=1)
@contextmanager
def gc(scene: Scene) -> Iterator[Hit]:
    """Orphans older than ten minutes."""
    yield _run(scene, "gc", "--grace", "10m")


def _run(scene: Scene, *arguments: object, may_refuse: bool = False) -> Hit:
    """Run a command; one that ends with an error that is told in one line has hit nothing."""
    done = scene.world.run(*arguments)
    hit = Hit(what=(done.stdout.strip().splitlines() or [""])[-1][:100], complaints=_complaints(done, arguments))
    if done.returncode != 0 and not may_refuse and not hit.complaints:
        raise Missed
    return hit


def until_done(scene: Scene, *arguments: object) -> list[str]:
    """Run a command until it succeeds, through whatever is away; returns what was wrong about how it failed."""
    complaints: list[str] = []
    for _ in range(30):
        done = scene.world.run(*arguments)
        complaints += _complaints(done, arguments)
        if done.returncode == 0:
            return complaints
    return [*complaints, f"{arguments[0]} never succeeded: {done.stderr[-300:]}"]


def _complaints(done: subprocess.CompletedProcess[str], arguments: tuple[object, ...]) -> list[str]:
    if done.returncode in {0, 1, 2} and "Traceback" not in done.stderr:
        return []
    return [f"paragone {arguments[0]} ended with {done.returncode}: {done.stderr[-600:]}"]
