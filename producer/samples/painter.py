"""One painting from a seed and an index: scene, style and artist drawn by the same dice, and the truth about it kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from producer.samples.palettes import PALETTES
from producer.samples.styles import STYLES
from producer.samples.subjects import SUBJECTS, compose

if TYPE_CHECKING:
    from PIL import Image

#: Width to height.
ASPECTS = ((1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (16, 10))
_MOODS = ("", "Quiet", "Early", "Late", "Distant", "Bright", "Forgotten", "Little", "Blue Hour", "Remembered")
_YEARS = (1882, 1968)
_MOST = 3
_SMALL = re.compile(r"(?<= )(?:A|The|In|On|Of|Over|With|And|Behind)\b")


@dataclass(frozen=True, kw_only=True)
class Painting:
    """A picture and the truth about it."""

    image: Image.Image
    #: "a cubist painting of two boats in a harbour in autumn colours".
    caption: str
    style: str
    artist: str
    title: str
    year: int
    subject: str
    count: int
    palette: str


def paint(seed: int, index: int, size: int) -> Painting:
    """The painting of this seed and index, `size` pixels on its longer side; the same at any time under the same Pillow.

    Styles take turns, so any run of eight shows all of them.
    """
    rng = Random(f"paragone samples {seed} {index}")
    style = STYLES[index % len(STYLES)]
    artist = rng.choice(style.artists)
    palette = PALETTES[rng.choice(artist.palettes)]
    subject, count = rng.choice(list(SUBJECTS)), rng.randint(1, _MOST)
    across, up = rng.choice(ASPECTS)
    longer = max(across, up)
    scene = compose(rng, subject, count, palette)
    shown = scene.caption.removeprefix("a ").removeprefix("the ").title()
    title = _SMALL.sub(lambda word: word[0].lower(), f"{rng.choice(_MOODS)} {shown}".strip())
    article = "an" if style.adjective[0] in "aeiou" else "a"
    return Painting(
        year=rng.randint(*_YEARS),
        image=style.paint(scene, (round(size * across / longer), round(size * up / longer)), artist.hand, rng),
        caption=f"{article} {style.adjective} painting of {scene.caption} in {palette.name} colours",
        style=style.name,
        artist=artist.name,
        title=title,
        subject=subject,
        count=count,
        palette=palette.name,
    )
