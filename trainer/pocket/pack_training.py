"""The whole training in order, each model resumed where it stopped; checkpoints and caches are kept in the work folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.pocket import pack
from trainer.pocket.architecture import new_autoencoder, new_captioner, new_clip, new_unet, text_encoder_of
from trainer.pocket.attribute_classifier import train_attribute_classifier
from trainer.pocket.autoencoder import encode_all, reconstruct, train_autoencoder
from trainer.pocket.captioner import train_captioner
from trainer.pocket.cards import write_cards
from trainer.pocket.clip import ReconstructedImages, train_clip
from trainer.pocket.paintings import load_paintings
from trainer.pocket.refiner import train_refiner
from trainer.pocket.tokenizers import caption_words, clip_tokenizer, cut_merges
from trainer.pocket.train_loop import new_train_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from diffusers import AutoencoderKL
    from transformers import CLIPTokenizer

    from trainer.pocket.attribute_classifier import AttributeClassifier
    from trainer.pocket.paintings import Paintings
    from trainer.pocket.recipe import Recipe
    from trainer.pocket.train_loop import TrainContext

#: Seeds of the paintings: no two sets share a scene.
_TRAINING, _CLASSIFIER, _HELD_OUT = 1, 2, 3
_SEEDS = 10


@dataclass(frozen=True, kw_only=True)
class PackTraining:
    """One training of the pack: its recipe, its folder, its logger."""

    recipe: Recipe
    folder: Path
    log: Callable[[str], None] = print

    def context(self) -> TrainContext:
        """Where its models are trained."""
        return new_train_context(self.folder / "parts", self.recipe.seed, self.log)

    def training_paintings(self) -> Paintings:
        """What the pack learns from: every scene in several versions."""
        count, versions = self.recipe.scenes, self.recipe.versions
        return load_paintings(self.folder / "paintings", count=count, versions=versions, seed=self._seed(_TRAINING))

    def classifier(self) -> AttributeClassifier:
        """The attribute classifier, trained on paintings of its own."""
        return train_attribute_classifier(self.context(), self.recipe.classifier, self.classifier_paintings())

    def classifier_paintings(self) -> Paintings:
        """What the attribute classifier is trained on."""
        return load_paintings(self.folder / "judged", count=self.recipe.classifier_paintings, seed=self._seed(_CLASSIFIER))

    def held_out(self) -> Paintings:
        """What all is measured on."""
        return load_paintings(self.folder / "held-out", count=self.recipe.held_out, seed=self._seed(_HELD_OUT))

    def _seed(self, kind: int) -> int:
        return _SEEDS * self.recipe.seed + kind


def train_pack(training: PackTraining, directory: Path) -> None:
    """Train what is not trained yet and write the pack into `directory`, its cards without figures."""
    recipe, context = training.recipe, training.context()
    paintings = training.training_paintings()
    training.log(f"{len(paintings)} paintings of {recipe.scenes} scenes; device: {context.device}")
    tokenizer, words = _tokenizer(context, paintings), caption_words(paintings.labels)

    autoencoder = train_autoencoder(context, recipe.autoencoder, paintings)
    decoded = _decoded(context, autoencoder, paintings, recipe.reconstructed)
    clip = train_clip(context, recipe.clip, paintings, decoded, tokenizer)
    pack.write_clip(directory / "clip", clip, tokenizer)
    captioner = train_captioner(context, recipe.captioner, paintings, decoded, tokenizer=words, clip=clip)
    pack.write_captioner(directory / "captioner", captioner, words)
    latents = encode_all(context, autoencoder, paintings)
    unet = train_refiner(context, recipe.refiner, paintings, latents=latents, encoder=text_encoder_of(clip), tokenizer=tokenizer)
    pack.write_refiner(directory / "refiner", autoencoder, unet, clip, tokenizer)
    pack.write_pack_facts(directory, trained=True)
    write_cards(directory, recipe)


def write_untrained(training: PackTraining, directory: Path) -> None:
    """The same pack with fresh weights, to see that the measures fall to chance."""
    paintings = training.training_paintings()
    tokenizer, words = clip_tokenizer(cut_merges(paintings.labels)), caption_words(paintings.labels)
    clip = new_clip(tokenizer)
    pack.write_clip(directory / "clip", clip, tokenizer)
    pack.write_captioner(directory / "captioner", new_captioner(words), words)
    pack.write_refiner(directory / "refiner", new_autoencoder(), new_unet(), clip, tokenizer)
    pack.write_pack_facts(directory, trained=False)


def _tokenizer(context: TrainContext, paintings: Paintings) -> CLIPTokenizer:
    """The cut encoding as it was when the training began: a brief that is worded anew would number its tokens anew."""
    path = context.folder / "merges.json"
    if not path.exists():
        path.write_text(json.dumps(cut_merges(paintings.labels)), encoding="utf-8")
    return clip_tokenizer([(first, second) for first, second in json.loads(path.read_text(encoding="utf-8"))])


def _decoded(context: TrainContext, autoencoder: AutoencoderKL, paintings: Paintings, count: int) -> ReconstructedImages:
    places = np.random.default_rng(context.seed).permutation(len(paintings))[:count]
    path = context.folder / "decoded.npy"
    if not path.exists():
        np.save(path, reconstruct(autoencoder, np.asarray(paintings.squares[np.sort(places)]), context.device))
    return ReconstructedImages(np.sort(places), np.load(path, mmap_mode="r"))
