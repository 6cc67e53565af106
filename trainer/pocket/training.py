"""All of it in order, each part taken up where it stopped; what is finished lies in the work folder as a model of its class."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.pocket import pack
from trainer.pocket.architecture import new_autoencoder, new_captioner, new_clip, new_unet, text_encoder_of
from trainer.pocket.autoencoder import decode_again, encode_all, train_autoencoder
from trainer.pocket.captioner import train_captioner
from trainer.pocket.cards import write_cards
from trainer.pocket.contrast import Decoded, train_clip
from trainer.pocket.fitting import new_bench
from trainer.pocket.judge import train_judge
from trainer.pocket.paintings import paint
from trainer.pocket.refiner import train_refiner
from trainer.pocket.words import caption_words, clip_tokenizer, cut_merges

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from diffusers import AutoencoderKL
    from transformers import CLIPTokenizer

    from trainer.pocket.fitting import Bench
    from trainer.pocket.judge import Judge
    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import Recipe

#: Seeds of the paintings: no two sets share a scene.
_TRAINING, _JUDGING, _HELD_OUT = 1, 2, 3
_SEEDS = 10


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """One training of the pack: its numbers, its folder, and whom it tells."""

    recipe: Recipe
    folder: Path
    say: Callable[[str], None] = print

    def bench(self) -> Bench:
        """Where its models are trained."""
        return new_bench(self.folder / "parts", self.recipe.seed, self.say)

    def training_paintings(self) -> Paintings:
        """What the pack learns from: every scene in several versions."""
        count, versions = self.recipe.scenes, self.recipe.versions
        return paint(self.folder / "paintings", count=count, versions=versions, seed=self._seed(_TRAINING))

    def judge(self) -> Judge:
        """The judge, trained on paintings of its own."""
        return train_judge(self.bench(), self.recipe.judge, self.judged_paintings())

    def judged_paintings(self) -> Paintings:
        """What the judge learnt from."""
        return paint(self.folder / "judged", count=self.recipe.judged, seed=self._seed(_JUDGING))

    def held_out(self) -> Paintings:
        """What all is measured on."""
        return paint(self.folder / "held-out", count=self.recipe.held_out, seed=self._seed(_HELD_OUT))

    def _seed(self, kind: int) -> int:
        return _SEEDS * self.recipe.seed + kind


def train_pack(workshop: Workshop, directory: Path) -> None:
    """Train what is not trained yet and write the pack into `directory`, its cards without figures."""
    recipe, bench = workshop.recipe, workshop.bench()
    paintings = workshop.training_paintings()
    workshop.say(f"{len(paintings)} paintings of {recipe.scenes} scenes; device: {bench.device}")
    tokenizer, words = _tokenizer(bench, paintings), caption_words(paintings.truths)

    autoencoder = train_autoencoder(bench, recipe.autoencoder, paintings)
    decoded = _decoded(bench, autoencoder, paintings, recipe.reconstructed)
    clip = train_clip(bench, recipe.clip, paintings, decoded, tokenizer)
    pack.write_clip(directory / "clip", clip, tokenizer)
    captioner = train_captioner(bench, recipe.captioner, paintings, decoded, tokenizer=words, clip=clip)
    pack.write_captioner(directory / "captioner", captioner, words)
    latents = encode_all(bench, autoencoder, paintings)
    unet = train_refiner(bench, recipe.refiner, paintings, latents=latents, encoder=text_encoder_of(clip), tokenizer=tokenizer)
    pack.write_refiner(directory / "refiner", autoencoder, unet, clip, tokenizer)
    pack.write_advice(directory, trained=True)
    write_cards(directory, recipe)


def write_untrained(workshop: Workshop, directory: Path) -> None:
    """The same pack with fresh weights, to see that the measures fall to chance."""
    paintings = workshop.training_paintings()
    tokenizer, words = clip_tokenizer(cut_merges(paintings.truths)), caption_words(paintings.truths)
    clip = new_clip(tokenizer)
    pack.write_clip(directory / "clip", clip, tokenizer)
    pack.write_captioner(directory / "captioner", new_captioner(words), words)
    pack.write_refiner(directory / "refiner", new_autoencoder(), new_unet(), clip, tokenizer)
    pack.write_advice(directory, trained=False)


def _tokenizer(bench: Bench, paintings: Paintings) -> CLIPTokenizer:
    """The cut encoding as it was when the training began: a brief that is worded anew would number its tokens anew."""
    path = bench.folder / "merges.json"
    if not path.exists():
        path.write_text(json.dumps(cut_merges(paintings.truths)), encoding="utf-8")
    return clip_tokenizer([(first, second) for first, second in json.loads(path.read_text(encoding="utf-8"))])


def _decoded(bench: Bench, autoencoder: AutoencoderKL, paintings: Paintings, count: int) -> Decoded:
    places = np.random.default_rng(bench.seed).permutation(len(paintings))[:count]
    path = bench.folder / "decoded.npy"
    if not path.exists():
        np.save(path, decode_again(autoencoder, np.asarray(paintings.squares[np.sort(places)]), bench.device))
    return Decoded(np.sort(places), np.load(path, mmap_mode="r"))
