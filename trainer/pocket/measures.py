"""What the pack can do, measured on held-out paintings: what it reads, and what the judge says of its repaints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.pocket import pack
from trainer.pocket.judge import judged
from trainer.pocket.reading import Reading
from trainer.pocket.repainting import Repainted, repaint
from trainer.pocket.table import Row, share, timed
from trainer.sources import best_device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from trainer.pocket.colours import PaletteScale
    from trainer.pocket.judge import Judge
    from trainer.pocket.paintings import Paintings


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One pack before one set of held-out paintings."""

    pack: Path
    paintings: Paintings
    judge: Judge
    palettes: PaletteScale
    say: Callable[[str], None] = print

    def rows(self) -> list[Row]:
        """All measures, in the order of the table."""
        reading = Reading(pack=self.pack, paintings=self.paintings)
        read = reading.rows()
        self.say("captions are read, pictures and texts are matched")
        rows = [*self._judge_itself(reading), *read, *self._repaints(reading)]
        return [*rows, Row(name="the pack, MB", value=pack.megabytes(self.pack), most=20, unit="MB")]

    def _judge_itself(self, reading: Reading) -> list[Row]:
        said = judged(self.judge, self._squares(reading.originals), best_device())
        facts = {fact: [str(getattr(truth, fact)) for truth in self.paintings.truths] for fact in said}
        return [Row(name=f"judge, on paintings: {fact}", value=share(said[fact], facts[fact])) for fact in said]

    def _repaints(self, reading: Reading) -> list[Row]:
        far: dict[str, NDArray[np.float32]] = {}
        rows: list[Row] = []
        for level in pack.ADVICE["levels"]:
            done, seconds = timed(lambda level=level: repaint(self.pack, level, self.paintings))  # type: ignore[misc]
            self.say(f"{level}: {len(done)} repaints")
            again = reading.embed([one.image for one in done])
            far[level] = 1 - (again * reading.seen).sum(axis=1)
            rows += self._level(level, done, reading.originals)
            found = (again @ reading.seen.T).argmax(axis=1) == np.arange(len(done))
            rows.append(Row(name=f"{level}: repaint -> original R@1 among {len(done)}", value=float(found.mean())))
            rows.append(Row(name=f"one {level} repaint, s", value=seconds / len(done), most=1, unit="s"))
        farther = float((far["radical"] > far["moderate"]).mean())
        return [*rows, Row(name="radical farther from the original than moderate", value=farther, least=0.9)]

    def _level(self, level: str, done: Sequence[Repainted], originals: Sequence[Image.Image]) -> list[Row]:
        said = judged(self.judge, self._squares([one.image for one in done]), best_device())
        subjects = share(said["subject"], [truth.subject for truth in self.paintings.truths])
        rows = [Row(name=f"{level}: the subject is still named", value=subjects, least=0.75 if level == "moderate" else None)]
        asked = [place for place, one in enumerate(done) if one.style]
        if asked:
            right = share([said["style"][place] for place in asked], [done[place].style for place in asked])
            rows.append(Row(name=f"{level}: the style is the one prompted", value=right, least=0.6))
            right = share([said["palette"][place] for place in asked], [done[place].palette for place in asked])
            rows.append(Row(name=f"{level}: the palette is the one prompted", value=right, least=0.6))
        moved = [place for place in asked if done[place].palette not in {"", self.paintings.truths[place].palette}]
        if moved:
            nearer = [
                self.palettes.distance(done[place].image, done[place].palette)
                < self.palettes.distance(originals[place], done[place].palette)
                for place in moved
            ]
            rows.append(Row(name=f"{level}: nearer to the palette prompted than the original", value=float(np.mean(nearer)), least=0.6))
        return rows

    def _squares(self, images: Sequence[Image.Image]) -> list[NDArray[np.uint8]]:
        side = self.paintings.squares.shape[1]
        return [np.asarray(image.resize((side, side))) for image in images]
