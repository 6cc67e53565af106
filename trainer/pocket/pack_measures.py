"""What the pack can do, measured on held-out paintings: what it recognises, and how the attribute classifier sees its repaints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.model_sources import best_device
from trainer.pocket import pack
from trainer.pocket.attribute_classifier import classify_attributes
from trainer.pocket.measures_table import Measure, accuracy, timed
from trainer.pocket.recognition import Recognition
from trainer.pocket.sample_repaints import SampleRepaint, repaint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from trainer.pocket.attribute_classifier import AttributeClassifier
    from trainer.pocket.colours import PaletteScale
    from trainer.pocket.paintings import Paintings


@dataclass(frozen=True, kw_only=True)
class PackMeasures:
    """The measures of one pack on one set of held-out paintings.

    The rows keep the names under which they stand in `measures.json` and the cards of the shipped pack ("judge" is the classifier there).
    """

    pack: Path
    paintings: Paintings
    classifier: AttributeClassifier
    palettes: PaletteScale
    log: Callable[[str], None] = print

    def rows(self) -> list[Measure]:
        """All measures, in the order of the table."""
        recognition = Recognition(pack=self.pack, paintings=self.paintings)
        recognised = recognition.rows()
        self.log("captions and matches are measured")
        rows = [*self._classifier_itself(recognition), *recognised, *self._repaints(recognition)]
        return [*rows, Measure(name="the pack, MB", value=pack.megabytes(self.pack), most=20, unit="MB")]

    def _classifier_itself(self, recognition: Recognition) -> list[Measure]:
        answers = classify_attributes(self.classifier, self._squares(recognition.originals), best_device())
        facts = {fact: [str(getattr(label, fact)) for label in self.paintings.labels] for fact in answers}
        return [Measure(name=f"judge, on paintings: {fact}", value=accuracy(answers[fact], facts[fact])) for fact in answers]

    def _repaints(self, recognition: Recognition) -> list[Measure]:
        far: dict[str, NDArray[np.float32]] = {}
        rows: list[Measure] = []
        for level in pack.PACK_FACTS["levels"]:
            done, seconds = timed(lambda level=level: repaint(self.pack, level, self.paintings))  # type: ignore[misc]
            self.log(f"{level}: {len(done)} repaints")
            embedded = recognition.embed([one.image for one in done])
            far[level] = 1 - (embedded * recognition.embeddings).sum(axis=1)
            rows += self._level(level, done, recognition.originals)
            found = (embedded @ recognition.embeddings.T).argmax(axis=1) == np.arange(len(done))
            rows.append(Measure(name=f"{level}: repaint -> original R@1 among {len(done)}", value=float(found.mean())))
            rows.append(Measure(name=f"one {level} repaint, s", value=seconds / len(done), most=1, unit="s"))
        farther = float((far["radical"] > far["moderate"]).mean())
        return [*rows, Measure(name="radical farther from the original than moderate", value=farther, least=0.9)]

    def _level(self, level: str, done: Sequence[SampleRepaint], originals: Sequence[Image.Image]) -> list[Measure]:
        answers = classify_attributes(self.classifier, self._squares([one.image for one in done]), best_device())
        subjects = accuracy(answers["subject"], [label.subject for label in self.paintings.labels])
        rows = [Measure(name=f"{level}: the subject is still named", value=subjects, least=0.75 if level == "moderate" else None)]
        asked = [place for place, one in enumerate(done) if one.style]
        if asked:
            right = accuracy([answers["style"][place] for place in asked], [done[place].style for place in asked])
            rows.append(Measure(name=f"{level}: the style is the one prompted", value=right, least=0.6))
            right = accuracy([answers["palette"][place] for place in asked], [done[place].palette for place in asked])
            rows.append(Measure(name=f"{level}: the palette is the one prompted", value=right, least=0.6))
        moved = [place for place in asked if done[place].palette not in {"", self.paintings.labels[place].palette}]
        if moved:
            nearer = [
                self.palettes.distance(done[place].image, done[place].palette)
                < self.palettes.distance(originals[place], done[place].palette)
                for place in moved
            ]
            rows.append(Measure(name=f"{level}: nearer to the palette prompted than the original", value=float(np.mean(nearer)), least=0.6))
        return rows

    def _squares(self, images: Sequence[Image.Image]) -> list[NDArray[np.uint8]]:
        side = self.paintings.squares.shape[1]
        return [np.asarray(image.resize((side, side))) for image in images]
