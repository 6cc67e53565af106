"""The plan of a run: originals, some of which are planted so that their jobs must fail, and the campaign that repaints them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageStat

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.clockwork import Clockwork

STYLES = ("Baroque", "Cubism", "Pop_Art")
LEVELS = ("moderate", "radical")
VARIATIONS = 2
#: Variations of one artwork.
EACH = len(LEVELS) * VARIATIONS
#: Jobs of one artwork: its caption, and three stages of each variation.
JOBS_EACH = 1 + 3 * EACH

#: Sizes by the fake captioner's word for the canvas.
SHAPES = {"wide": (96, 64), "tall": (64, 96), "square": (72, 72)}
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True, kw_only=True)
class PlantedFault:
    """A fault that one artwork carries: by the colour and shape of its bright original the fakes know it."""

    kind: str
    #: The stage whose jobs fail.
    stage: str
    colour: str
    shape: str
    #: Kinds of failure that may be told of it.
    told_as: frozenset[str]

    @property
    def when(self) -> str:
        """What its caption and its prompts contain, and no other's."""
        return f"bright {self.colour} picture on a {self.shape} canvas"


def _planted(kind: str, stage: str, colour: str, shape: str, *told_as: str) -> PlantedFault:
    return PlantedFault(kind=kind, stage=stage, colour=colour, shape=shape, told_as=frozenset(told_as))


#: What the fakes do to whom.
PLANTED = (
    _planted("segfault", "caption", "red", "wide", "poison"),
    _planted("hang", "caption", "red", "tall", "poison"),
    _planted("exit", "caption", "red", "square", "transient", "input"),
    _planted("bad", "caption", "green", "wide", "input"),
    _planted("black", "generate", "green", "tall", "degenerate"),
    _planted("nan", "generate", "green", "square", "degenerate"),
    _planted("oom", "generate", "blue", "wide", "oom"),
    _planted("memory", "generate", "blue", "tall", "transient", "oom"),
    _planted("os-error", "generate", "blue", "square", "transient"),
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which artworks there are and what is planted among them."""

    artworks: int
    planted: tuple[PlantedFault, ...] = PLANTED
    #: Whether two originals are spoiled after they were registered.
    spoiled: bool = True

    def guilty(self) -> dict[int, PlantedFault]:
        """Number of an artwork to the fault that it carries; they stand early, so that every run meets them."""
        return {3 + 2 * position: fault for position, fault in enumerate(self.planted)}

    @property
    def truncated(self) -> int | None:
        """The artwork of which half a file is left."""
        return 2 if self.spoiled else None

    @property
    def gone(self) -> int | None:
        """The artwork whose file is taken out of the store."""
        return 4 if self.spoiled else None

    def write_originals(self, folder: Path) -> None:
        """Write `Style/painter_study.png`, one for each artwork."""
        guilty = self.guilty()
        for number in range(self.artworks):
            path = folder / STYLES[number % len(STYLES)] / f"painter-{number % 7}_{title(number)}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            fault = guilty.get(number)
            _bright(fault).save(path) if fault else _dim(number).save(path)

    def write_campaign(self, path: Path, *, clockwork: Clockwork | None, levels: tuple[str, ...] = LEVELS) -> Path:
        """The campaign file; without a clockwork nothing takes time and nobody fails, as in an undisturbed run."""
        seconds = clockwork.batch if clockwork else 0.0
        fail = {stage: [_fail(fault) for fault in self.planted if clockwork and fault.stage == stage] for stage in ("caption", "generate")}
        caption: dict[str, Any] = {"seconds_per_batch": seconds / 2, "fail": fail["caption"]}
        repaint: dict[str, Any] = {"seconds_per_batch": seconds, "fail": fail["generate"]}
        level = {"backend": "fake-repaint", "model": "", "steps": 4, "strength": 0.5, "batch": 4, "settings": repaint}
        config: dict[str, Any] = {
            "": {"variations": VARIATIONS},
            "caption": {"backend": "fake-caption", "model": "", "batch": 8, "settings": caption},
            "prompt": {"backend": "fake-prompt", "batch": 16, "settings": {"seconds_per_batch": seconds / 4}},
            "picture": {"size": 64},
            **{f"level.{name}": level for name in levels},
        }
        path.write_text("".join(_section(name, body) for name, body in config.items()))
        return path


def title(number: int) -> str:
    """The title of an artwork, by which its key is known."""
    return f"study-{number:04}"


def number_of(key: str) -> int:
    """The number of an artwork by its key."""
    return int(key.rsplit("-", 1)[1])


def _fail(fault: PlantedFault) -> dict[str, str]:
    return {"kind": fault.kind, "when": fault.when}


def _dim(number: int) -> Image.Image:
    rng = random.Random(number)
    patches = Image.frombytes("RGB", (6, 6), bytes(rng.randint(60, 120) for _ in range(6 * 6 * 3)))
    return patches.resize(list(SHAPES.values())[number % len(SHAPES)], Image.Resampling.NEAREST)


def _bright(fault: PlantedFault) -> Image.Image:
    rng = random.Random(fault.kind)
    lift = [10 if name == fault.colour else 0 for name in COLOURS]
    patches = Image.frombytes("RGB", (6, 6), bytes(rng.randint(205, 244) + lift[band % 3] for band in range(6 * 6 * 3)))
    means = ImageStat.Stat(patches).mean
    assert COLOURS[means.index(max(means))] == fault.colour, f"{fault.kind}: {means}"
    return patches.resize(SHAPES[fault.shape], Image.Resampling.NEAREST)


def _section(name: str, body: dict[str, Any]) -> str:
    lines = "".join(f"{key} = {_toml(value)}\n" for key, value in body.items())
    return f"[{name}]\n{lines}" if name else lines


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value)
