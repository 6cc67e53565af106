"""The tokenizers of the tiny models: a word list for captions, and a byte-level BPE like CLIP's, cut to the words of our own briefs."""

# ruff: noqa: SIM905, S106 - a word list reads best as text, and these tokens are no passwords

from __future__ import annotations

import re
from collections import Counter, defaultdict
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPTokenizer, PreTrainedTokenizerFast

from workers.backends.brief_sets import brief_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

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

_WORD_END = "</w>"
_BEGIN, _END = "<|startoftext|>", "<|endoftext|>"
_POSITIONS = 77


def word_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """One token for each word in lower case, with `<image>` in the vocabulary as BLIP-2 wants it."""
    specials = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
    vocabulary = {word: index for index, word in enumerate([*specials, *words])}
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
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = _learn_merges(_corpus(), MERGES)
    tokens = [*letters, *(f"{letter}{_WORD_END}" for letter in letters), *map("".join, merges), _BEGIN, _END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=_POSITIONS)


def _corpus() -> Counter[str]:
    families = [family for group in brief_sets().values() for family in group]
    texts = [text for family in families for text in family.texts]
    return Counter(re.findall("[a-z]+", " ".join([*texts, *CAPTION_WORDS]).lower()))


def _learn_merges(corpus: Counter[str], number: int) -> list[tuple[str, str]]:
    """Byte-pair encoding by the book (Sennrich et al., 2016), ties by spelling: the trainer of `tokenizers` breaks them by chance."""
    words = {word: [*word[:-1], word[-1] + _WORD_END] for word in corpus}
    counts: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for word, parts in words.items():
        for pair in pairwise(parts):
            counts[pair] += corpus[word]
            places[pair].add(word)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapify(queue)
    merges: list[tuple[str, str]] = []
    while queue and len(merges) < number:
        count, best = heappop(queue)
        if counts[best] != -count:  # it has changed since it was queued, and was queued again
            continue
        merges.append(best)
        changed = set()
        for word in sorted(places[best]):
            before, after = words[word], _merged(words[word], best)
            for pair in pairwise(before):
                counts[pair] -= corpus[word]
            for pair in pairwise(after):
                counts[pair] += corpus[word]
                places[pair].add(word)
            changed |= {*pairwise(before), *pairwise(after)}
            words[word] = after
        for pair in changed:
            if counts[pair] > 0:
                heappush(queue, (-counts[pair], pair))
    return merges


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return merged
