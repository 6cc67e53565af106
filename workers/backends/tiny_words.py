"""The tokenizers of the tiny models: a word list for captions, and a byte-level BPE like CLIP's, cut to the words of our own briefs."""

# ruff: noqa: SIM905, S106 - a word list reads best as text, and these tokens are no passwords

from __future__ import annotations

import json

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPTokenizer, PreTrainedTokenizerFast

from workers.backends.briefing import brief_sets

#: Plain words that a caption of a painting is made of.
CAPTION_WORDS = (
    "a an the of in on with and by near under behind painting portrait drawing print landscape view scene study woman man girl boy "
    "child children mother old young king saint angel dancer sailor farmer horse dog cat cow bird fish boat ship bridge river lake "
    "sea shore beach wave mountain hill valley field garden forest tree trees flower flowers fruit apple bread bowl vase table "
    "chair window door room house church castle tower street village city harbour market sky cloud clouds sun moon stars rain snow "
    "storm fire smoke light shadow night morning evening summer winter red blue green yellow white black brown golden grey dark "
    "bright small large quiet standing sitting walking reading sleeping playing holding looking wearing hat dress cloak"
).split()

#: Merges of the cut BPE beside its 512 byte tokens; CLIP has 48,894.
MERGES = 2500

_BEGIN, _END = "<|startoftext|>", "<|endoftext|>"
_POSITIONS = 77


def caption_tokenizer() -> PreTrainedTokenizerFast:
    """One token for each word of `CAPTION_WORDS`, with `<image>` in the vocabulary as BLIP-2 wants it."""
    specials = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
    vocabulary = {word: index for index, word in enumerate([*specials, *CAPTION_WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=["<image>"],
        model_max_length=128,
    )


def clip_tokenizer() -> CLIPTokenizer:
    """A `CLIPTokenizer` of about 3,000 tokens that encodes any text; the words of briefs and captions are one or two tokens each."""
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.Lowercase()
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[\p{L}]+"), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=2 * len(alphabet) + MERGES, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
    )
    trained.train_from_iterator(_corpus(), trainer)
    merges = [tuple(pair) for pair in json.loads(trained.to_str())["model"]["merges"]]
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet), *("".join(pair) for pair in merges), _BEGIN, _END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=_POSITIONS)


def _corpus() -> list[str]:
    families = [family for group in brief_sets().values() for family in group]
    texts = [text for family in families for text in (*family.briefs, *family.details, *family.finish)]
    words = [word for family in families for group in family.words.values() for word in group]
    return [*texts, *words, *CAPTION_WORDS]
