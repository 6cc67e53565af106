from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from producer.samples.painter import paint
from producer.samples.palettes import PALETTES
from producer.samples.styles import STYLES
from trainer.pocket.paintings import PaintingLabel
from trainer.pocket.texts import describe, describe_as_prompt, phrases
from trainer.pocket.tokenizers import caption_words, clip_tokenizer, cut_merges, real_merges
from workers.backends.brief_sets import brief_sets

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(scope="module")
def labels() -> Sequence[PaintingLabel]:
    paintings = [paint(0, index, 16) for index in range(300)]
    return [PaintingLabel.model_validate({name: getattr(painting, name) for name in PaintingLabel.model_fields}) for painting in paintings]


def test_restyling_briefs_name_exactly_the_styles_and_palettes_of_the_samples() -> None:
    (family,) = brief_sets()["restyle"]

    assert {word.text for word in family.words["style"]} == {style.name for style in STYLES}
    assert {word.text for word in family.words["palette"]} == set(PALETTES)


def test_the_cut_encoding_is_small_and_tokenizes_paintings_as_the_real_one_does(labels: Sequence[PaintingLabel]) -> None:
    tokenizer = clip_tokenizer(cut_merges(labels))

    assert len(tokenizer) <= 2000
    real = clip_tokenizer(real_merges())
    for label in labels[:40]:
        assert tokenizer.tokenize(label.sentence) == real.tokenize(label.sentence)
    for text in ("a zeppelin over quartz", "naïve Ōsaka 漢字", "x"):
        assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text.lower()
    kept = set(tokenizer.get_vocab())
    assert {first + second for first, second in real_merges()} | {"<|startoftext|>", "<|endoftext|>"} >= {
        token for token in kept if len(token.removesuffix("</w>")) > 1
    }


def test_the_caption_tokenizer_has_a_token_for_each_word(labels: Sequence[PaintingLabel]) -> None:
    tokenizer = caption_words(labels)

    for label in labels:
        tokens = tokenizer(label.caption)["input_ids"]
        assert tokenizer.unk_token_id not in tokens
        assert tokenizer.decode(tokens, skip_special_tokens=True) == label.caption


def test_texts_name_the_attributes_asked_for_and_no_other(labels: Sequence[PaintingLabel]) -> None:
    rng = np.random.default_rng(0)
    for label in labels[:100]:
        assert label.style in describe(label, ["style"], rng)
        assert label.palette not in describe(label, ["style"], rng)
        assert f"in {label.palette} colours" in describe(label, ["palette", "caption"], rng)


def test_training_prompts_mostly_name_everything_and_often_carry_phrases_of_the_briefs(labels: Sequence[PaintingLabel]) -> None:
    rng = np.random.default_rng(0)
    texts = [(label, describe_as_prompt(label, rng)) for label in labels]

    assert 0.7 < np.mean([label.palette in text for label, text in texts]) < 0.95
    assert 0.25 < np.mean([any(phrase in text for phrase in phrases()) for _, text in texts]) < 0.6
