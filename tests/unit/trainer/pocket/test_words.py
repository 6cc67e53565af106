from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from producer.samples.painter import paint
from producer.samples.palettes import PALETTES
from producer.samples.styles import STYLES
from trainer.pocket.paintings import Truth
from trainer.pocket.texts import phrases, tell, tell_prompt
from trainer.pocket.words import caption_words, clip_tokenizer, cut_merges, real_merges
from workers.backends.brief_sets import brief_sets

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(scope="module")
def truths() -> Sequence[Truth]:
    paintings = [paint(0, index, 16) for index in range(300)]
    return [Truth.model_validate({name: getattr(painting, name) for name in Truth.model_fields}) for painting in paintings]


def test_restyling_briefs_name_just_the_styles_and_palettes_that_the_painter_knows() -> None:
    (family,) = brief_sets()["restyle"]

    assert set(family.words["style"]) == {style.name for style in STYLES}
    assert set(family.words["palette"]) == set(PALETTES)


def test_the_cut_encoding_is_small_tells_paintings_as_the_real_one_and_reads_any_other_word(truths: Sequence[Truth]) -> None:
    tokenizer = clip_tokenizer(cut_merges(truths))

    assert len(tokenizer) <= 2000
    real = clip_tokenizer(real_merges())
    for truth in truths[:40]:
        assert tokenizer.tokenize(truth.sentence) == real.tokenize(truth.sentence)
    for text in ("a zeppelin over quartz", "naïve Ōsaka 漢字", "x"):
        assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text.lower()
    kept = set(tokenizer.get_vocab())
    assert {first + second for first, second in real_merges()} | {"<|startoftext|>", "<|endoftext|>"} >= {
        token for token in kept if len(token.removesuffix("</w>")) > 1
    }


def test_captions_have_a_token_for_each_word(truths: Sequence[Truth]) -> None:
    tokenizer = caption_words(truths)

    for truth in truths:
        tokens = tokenizer(truth.caption)["input_ids"]
        assert tokenizer.unk_token_id not in tokens
        assert tokenizer.decode(tokens, skip_special_tokens=True) == truth.caption


def test_texts_tell_the_facts_that_are_asked_and_no_other(truths: Sequence[Truth]) -> None:
    rng = np.random.default_rng(0)
    for truth in truths[:100]:
        assert truth.style in tell(truth, ["style"], rng)
        assert truth.palette not in tell(truth, ["style"], rng)
        assert f"in {truth.palette} colours" in tell(truth, ["palette", "caption"], rng)


def test_prompts_mostly_tell_all_and_often_carry_phrases_of_the_briefs(truths: Sequence[Truth]) -> None:
    rng = np.random.default_rng(0)
    texts = [(truth, tell_prompt(truth, rng)) for truth in truths]

    assert 0.7 < np.mean([truth.palette in text for truth, text in texts]) < 0.95
    assert 0.25 < np.mean([any(phrase in text for phrase in phrases()) for _, text in texts]) < 0.6
