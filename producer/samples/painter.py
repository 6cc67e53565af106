"""One painting from a seed and an index: scene, style and artist are drawn from seeded generators, and the truth about it is kept."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from producer.samples.palettes import PALETTES, Palette
from producer.samples.scene import Scene
from producer.samples.sketch import Sketch
from producer.samples.styles import STYLES, Artist, Style
from producer.samples.subjects import MOST, SUBJECTS, Subject

if TYPE_CHECKING:
    from PIL import Image

#: Width to height.
ASPECTS = ((1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (16, 10))
#: The narrowest aspect at which so many things fit side by side.
_NARROWEST = {1: 0.0, 2: 0.75, 3: 1.0}
#: A title never equals the caption: a prompt must not repeat a title.
_MOODS = (
    "Evening",
    "Quiet",
    "Early",
    "Late",
    "Distant",
    "Bright",
    "Forgotten",
    "Little",
    "Last",
    "Remembered",
    "Silent",
    "Beloved",
    "Half-Dreamt",
)
_YEARS = (1882, 1968)
_SMALL = re.compile(r"(?<= )(?:A|An|The|In|On|Of|Over|With|And|Behind|At)\b")
_ARTICLE = re.compile(r"^(?:an?|the) ")


@dataclass(frozen=True, kw_only=True)
class Painting:
    """An image and the truth about it."""

    image: Image.Image
    #: "a painting of two boats in a harbour".
    caption: str
    #: "a pointillist painting of two boats in a harbour in autumn colours".
    sentence: str
    style: str
    artist: str
    title: str
    year: int
    subject: str
    count: int
    palette: str
    #: The index: all versions of one scene share it.
    scene: int
    version: int


def paint(seed: int, index: int, size: int, version: int = 0) -> Painting:
    """The painting of this seed and index, `size` pixels on its longer side; the same at any time under the same Pillow and NumPy.

    Styles take turns over the indices. Versions above zero show the same scene in another style, by another artist and in another
    palette.
    """
    scene_rng = Random(f"paragone scene {seed} {index}")
    subject, count = scene_rng.choice(list(SUBJECTS.values())), scene_rng.randint(1, MOST)
    across, up = scene_rng.choice([aspect for aspect in ASPECTS if aspect[0] / aspect[1] >= _NARROWEST[count]])
    scene = _scene(scene_rng, subject, count, across / up)
    title = f"{scene_rng.choice(_MOODS)} {_ARTICLE.sub('', scene.words).title()}"
    year = scene_rng.randint(*_YEARS)
    style, artist, palette = _choose_hand(seed, index, version)
    rng = np.random.Generator(np.random.PCG64([seed % 2**63, index, version]))
    longer = max(across, up)
    wanted = max(1, round(size * across / longer)), max(1, round(size * up / longer))
    article = "an" if style.adjective[0] in "aeiou" else "a"
    return Painting(
        image=style.paint(scene, palette, wanted, artist, rng),
        caption=f"a painting of {scene.words}",
        sentence=f"{article} {style.adjective} painting of {scene.words} in {palette.name} colours",
        style=style.name,
        artist=artist.name,
        title=_SMALL.sub(lambda word: word[0].lower(), title),
        year=year,
        subject=scene.subject,
        count=scene.count,
        palette=palette.name,
        scene=index,
        version=version,
    )


def _scene(rng: Random, subject: Subject, count: int, aspect: float) -> Scene:
    """A subject with so many things, laid out for this width to height."""
    width, height = math.sqrt(aspect), 1 / math.sqrt(aspect)
    sketch = Sketch(rng, count=count, width=width, height=height)
    subject.lay(sketch)
    shapes = sketch.mirrored() if rng.random() < 0.5 else tuple(sketch.shapes)  # noqa: PLR2004
    return Scene(subject=subject.name, words=subject.words(count), count=count, width=width, height=height, shapes=shapes)


def _choose_hand(seed: int, index: int, version: int) -> tuple[Style, Artist, Palette]:
    """Who paints it, how, and in which colours; never in the first version's style or colours again."""
    rng = Random(f"paragone hand {seed} {index}")
    first = STYLES[index % len(STYLES)]
    artist = rng.choice(first.artists)
    liked = rng.choice(artist.palettes)
    if version == 0:
        return first, artist, PALETTES[liked]
    others = [style for style in STYLES if style is not first]
    rng.shuffle(others)
    style = others[(version - 1) % len(others)]
    rng = Random(f"paragone hand {seed} {index} {version}")
    artist = rng.choice(style.artists)
    return style, artist, PALETTES[rng.choice([palette for palette in artist.palettes if palette != liked])]
