"""What the pack recognises in held-out paintings: captions, matching texts, styles, and what its autoencoder preserves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from diffusers import AutoencoderKL

from trainer.model_sources import best_device
from trainer.pocket import pack
from trainer.pocket.autoencoder import reconstruct
from trainer.pocket.measures_table import Measure, accuracy, timed
from trainer.pocket.paintings import content
from trainer.pocket.texts import clause
from workers.backends import CaptionRequest, ModelSource
from workers.backends.blip2 import Blip2Captioner
from workers.backends.clip import ClipEmbedder
from workers.backends.settings import Blip2Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from trainer.pocket.paintings import Paintings

    Vectors = NDArray[np.float32]

#: Texts among which an image's own has to be found.
CANDIDATES = 64
_BATCH = 50
_FACTS = ("caption", "style", "palette")


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """A pack's captioner, CLIP and autoencoder on one set of held-out paintings, through the production backends."""

    pack: Path
    paintings: Paintings

    def rows(self) -> list[Measure]:
        """Its measures, in the order of the table."""
        return [*self._captions(), *self._matching(), *self._styles(), self._speed()]

    @cached_property
    def originals(self) -> list[Image.Image]:
        """The paintings without bars."""
        return content(self.paintings, self.paintings.canvases)

    @cached_property
    def embeddings(self) -> Vectors:
        """The pack's embeddings of the originals, (N, width), of length 1."""
        return self.embed(self.originals)

    def embed(self, images: Sequence[Image.Image]) -> Vectors:
        """Embeddings of any images, of length 1."""
        return _unit(np.concatenate([self._clip.embed_images(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]))

    @cached_property
    def _clip(self) -> ClipEmbedder:
        clip = ClipEmbedder(model=ModelSource(location=str(self.pack / "clip"), dtype="float32"), device=best_device())
        clip.load()
        return clip

    def _captions(self) -> list[Measure]:
        captioner = Blip2Captioner(model=ModelSource(location=str(self.pack / "captioner")), device=best_device())
        captioner.load()
        requests = [CaptionRequest(image=image) for image in self.originals]
        chunks = [requests[start : start + _BATCH] for start in range(0, len(requests), _BATCH)]
        settings = Blip2Settings(**pack.PACK_FACTS["captioner"])
        captions, seconds = timed(lambda: [result.text for chunk in chunks for result in captioner.run(chunk, settings)])
        subjects = {label.caption: label.subject for label in self.paintings.labels}
        labels = self.paintings.labels
        return [
            Measure(
                name="captioner: subject right",
                value=accuracy([subjects.get(text) for text in captions], [label.subject for label in labels]),
                least=0.92,
            ),
            Measure(
                name="captioner: subject and count exactly right", value=accuracy(captions, [label.caption for label in labels]), least=0.78
            ),
            Measure(name="one caption, s", value=seconds / len(requests), most=0.05, unit="s"),
        ]

    def _matching(self) -> list[Measure]:
        rows = []
        for facts, least in ((_FACTS, 0.95), (("caption", "palette"), None)):
            texts = [", ".join(clause(label, fact) for fact in facts) for label in self.paintings.labels]
            there, back = _recall(self.embeddings, _unit(self._clip.embed_texts(texts)), texts)
            named = "subject, style, palette" if least else "without style words"
            rows += [
                Measure(name=f"CLIP image -> text R@1 among {CANDIDATES}, {named}", value=there, least=least),
                Measure(name=f"CLIP text -> image R@1 among {CANDIDATES}, {named}", value=back, least=least),
            ]
        return rows

    def named_styles(self, images: Sequence[Image.Image]) -> list[str]:
        """The style of each image as the pack's CLIP names it, out of those of the paintings, untrained for it."""
        styles = sorted({label.style for label in self.paintings.labels})
        texts = _unit(self._clip.embed_texts([f"a painting, in the manner of {style}" for style in styles]))
        return [styles[place] for place in (self.embed(images) @ texts.T).argmax(axis=1)]

    def _styles(self) -> list[Measure]:
        true = [label.style for label in self.paintings.labels]
        decoded, noise = _through_autoencoder(self.pack, self.paintings)
        kinds = (("paintings", self.originals), ("VAE reconstructions", content(self.paintings, decoded)))
        rows = [
            Measure(name=f"CLIP zero-shot style, {kind}", value=accuracy(self.named_styles(images), true), least=0.92)
            for kind, images in kinds
        ]
        return [*rows, Measure(name="VAE: PSNR, mean over styles", value=_mean_over(true, noise), least=25, unit="dB")]

    def _speed(self) -> Measure:
        _, seconds = timed(lambda: self.embed(self.originals))
        return Measure(name="one embedding, s", value=seconds / len(self.originals), most=0.02, unit="s")


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _recall(seen: Vectors, read: Vectors, texts: Sequence[str]) -> tuple[float, float]:
    """R@1 both ways, in groups of `AMONG` with texts that differ."""
    there, back = [], []
    left = list(range(len(texts)))
    while len(left) >= min(CANDIDATES, len(texts)):
        group = list({texts[place]: place for place in reversed(left)}.values())[:CANDIDATES]
        left = [place for place in left if place not in set(group)]
        scores = seen[group] @ read[group].T
        there += list(scores.argmax(axis=1) == np.arange(len(group)))
        back += list(scores.argmax(axis=0) == np.arange(len(group)))
        if len(group) < CANDIDATES:
            break
    return float(np.mean(there)), float(np.mean(back))


def _through_autoencoder(directory: Path, paintings: Paintings) -> tuple[NDArray[np.uint8], list[float]]:
    """The canvases as the pack's autoencoder gives them back, and the peak signal-to-noise ratio of each in dB."""
    model = AutoencoderKL.from_pretrained(directory / "refiner" / "vae", local_files_only=True).to(best_device()).float().eval()
    back = reconstruct(model, np.asarray(paintings.canvases), best_device())
    ratios = []
    for real, again, (left, top, right, bottom) in zip(paintings.canvases, back, paintings.boxes, strict=True):
        error = (again.astype(np.float32) - real)[top:bottom, left:right]
        ratios.append(float(10 * np.log10(255**2 / max(float((error**2).mean()), 1e-6))))
    return back, ratios


def _mean_over(kinds: Sequence[str], values: Sequence[float]) -> float:
    """The mean of the kinds' means."""
    groups: dict[str, list[float]] = {}
    for kind, value in zip(kinds, values, strict=True):
        groups.setdefault(kind, []).append(value)
    return float(np.mean([np.mean(group) for group in groups.values()]))
