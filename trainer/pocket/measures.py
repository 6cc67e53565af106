"""What the pack can do, measured on held-out paintings through the production backends."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.pocket import pack
from trainer.pocket.judge import judged
from trainer.pocket.paintings import content
from trainer.pocket.repainting import Repainted, repaint
from trainer.pocket.table import Row
from trainer.pocket.texts import clause
from trainer.sources import best_device
from workers.backends import CaptionRequest, ModelSource
from workers.backends.blip2 import Blip2Captioner
from workers.backends.clip import ClipEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from trainer.pocket.colours import PaletteScale
    from trainer.pocket.judge import Judge
    from trainer.pocket.paintings import Paintings

    Vectors = NDArray[np.float32]

#: Texts among which a picture's own is looked for.
AMONG = 64
_BATCH = 50
_FACTS = ("caption", "style", "palette")


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
        originals = content(self.paintings, self.paintings.canvases)
        clip = ClipEmbedder(model=ModelSource(location=str(self.pack / "clip"), dtype="float32"), device=best_device())
        clip.load()
        rows = [*self._judge_itself(originals), *self._captions(originals)]
        self.say("captions are read")
        seen, seconds = _timed(lambda: _embed(clip, originals))
        rows += [*self._matching(clip, seen), *self._styles(clip, originals)]
        self.say("pictures and texts are matched")
        rows += self._repaints(clip, originals, seen)
        rows += [Row(name="one embedding, s", value=seconds / len(originals), most=0.02, unit="s")]
        return [*rows, Row(name="the pack, MB", value=pack.megabytes(self.pack), most=20, unit="MB")]

    def _judge_itself(self, originals: Sequence[Image.Image]) -> list[Row]:
        said = judged(self.judge, self._squares(originals), best_device())
        facts = {fact: [str(getattr(truth, fact)) for truth in self.paintings.truths] for fact in said}
        return [Row(name=f"judge, on paintings: {fact}", value=_share(said[fact], facts[fact])) for fact in said]

    def _captions(self, originals: Sequence[Image.Image]) -> list[Row]:
        captioner = Blip2Captioner(model=ModelSource(location=str(self.pack / "captioner")), device=best_device())
        captioner.load()
        requests = [CaptionRequest(image=image) for image in originals]
        chunks = [requests[start : start + _BATCH] for start in range(0, len(requests), _BATCH)]
        said, seconds = _timed(lambda: [result.text for chunk in chunks for result in captioner.run(chunk, pack.ADVICE["captioner"])])
        subjects = {truth.caption: truth.subject for truth in self.paintings.truths}
        truths = self.paintings.truths
        return [
            Row(
                name="captioner: subject right",
                value=_share([subjects.get(text) for text in said], [truth.subject for truth in truths]),
                least=0.92,
            ),
            Row(name="captioner: subject and count exactly right", value=_share(said, [truth.caption for truth in truths]), least=0.78),
            Row(name="one caption, s", value=seconds / len(requests), most=0.05, unit="s"),
        ]

    def _matching(self, clip: ClipEmbedder, seen: Vectors) -> list[Row]:
        rows = []
        for facts, least in ((_FACTS, 0.95), (("caption", "palette"), None)):
            texts = [", ".join(clause(truth, fact) for fact in facts) for truth in self.paintings.truths]
            there, back = _recall(seen, _unit(clip.embed_texts(texts)), texts)
            told = "subject, style, palette" if least else "without style words"
            rows += [
                Row(name=f"CLIP image -> text R@1 among {AMONG}, {told}", value=there, least=least),
                Row(name=f"CLIP text -> image R@1 among {AMONG}, {told}", value=back, least=least),
            ]
        return rows

    def _styles(self, clip: ClipEmbedder, originals: Sequence[Image.Image]) -> list[Row]:
        styles = sorted({truth.style for truth in self.paintings.truths})
        texts = _unit(clip.embed_texts([f"a painting, in the manner of {style}" for style in styles]))
        true = [truth.style for truth in self.paintings.truths]
        decoded, noise = _through_autoencoder(self.pack, self.paintings)
        kinds = (("paintings", list(originals)), ("VAE reconstructions", content(self.paintings, decoded)))
        rows = []
        for kind, images in kinds:
            named = (_embed(clip, images) @ texts.T).argmax(axis=1)
            rows.append(Row(name=f"CLIP zero-shot style, {kind}", value=_share([styles[place] for place in named], true), least=0.92))
        return [*rows, Row(name="VAE: PSNR, mean over styles", value=_mean_over(true, noise), least=25, unit="dB")]

    def _repaints(self, clip: ClipEmbedder, originals: Sequence[Image.Image], seen: Vectors) -> list[Row]:
        far: dict[str, Vectors] = {}
        rows: list[Row] = []
        for level in pack.ADVICE["levels"]:
            done, seconds = _timed(lambda level=level: repaint(self.pack, level, self.paintings))  # type: ignore[misc]
            self.say(f"{level}: {len(done)} repaints")
            again = _embed(clip, [one.image for one in done])
            far[level] = 1 - (again * seen).sum(axis=1)
            rows += self._level(level, done, originals)
            found = (again @ seen.T).argmax(axis=1) == np.arange(len(done))
            rows.append(Row(name=f"{level}: repaint -> original R@1 among {len(done)}", value=float(found.mean())))
            rows.append(Row(name=f"one {level} repaint, s", value=seconds / len(done), most=1, unit="s"))
        farther = float((far["radical"] > far["moderate"]).mean())
        return [*rows, Row(name="radical farther from the original than moderate", value=farther, least=0.9)]

    def _level(self, level: str, done: Sequence[Repainted], originals: Sequence[Image.Image]) -> list[Row]:
        said = judged(self.judge, self._squares([one.image for one in done]), best_device())
        subjects = _share(said["subject"], [truth.subject for truth in self.paintings.truths])
        rows = [Row(name=f"{level}: the subject is still named", value=subjects, least=0.75 if level == "moderate" else None)]
        asked = [place for place, one in enumerate(done) if one.style]
        if asked:
            right = _share([said["style"][place] for place in asked], [done[place].style for place in asked])
            rows.append(Row(name=f"{level}: the style is the one prompted", value=right, least=0.6))
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


def _embed(clip: ClipEmbedder, images: Sequence[Image.Image]) -> Vectors:
    return _unit(np.concatenate([clip.embed_images(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]))


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _recall(seen: Vectors, read: Vectors, texts: Sequence[str]) -> tuple[float, float]:
    """R@1 both ways, in groups of `AMONG` with texts that differ."""
    there, back = [], []
    left = list(range(len(texts)))
    while len(left) >= min(AMONG, len(texts)):
        group = list({texts[place]: place for place in reversed(left)}.values())[:AMONG]
        left = [place for place in left if place not in set(group)]
        scores = seen[group] @ read[group].T
        there += list(scores.argmax(axis=1) == np.arange(len(group)))
        back += list(scores.argmax(axis=0) == np.arange(len(group)))
        if len(group) < AMONG:
            break
    return float(np.mean(there)), float(np.mean(back))


def _through_autoencoder(directory: Path, paintings: Paintings) -> tuple[NDArray[np.uint8], list[float]]:
    """The canvases as the pack's autoencoder gives them back, and the peak signal-to-noise ratio of each in dB."""
    from diffusers import AutoencoderKL

    from trainer.pocket.autoencoder import decode_again

    model = AutoencoderKL.from_pretrained(directory / "refiner" / "vae", local_files_only=True).to(best_device()).float().eval()
    back = decode_again(model, np.asarray(paintings.canvases), best_device())
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


def _share(said: Sequence[Any], true: Sequence[Any]) -> float:
    return float(np.mean([one == other for one, other in zip(said, true, strict=True)]))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    done = work()
    return done, time.perf_counter() - begun
