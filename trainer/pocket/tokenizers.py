"""Tokenizers of the pack: CLIP's own byte-pair encoding cut to the words that are needed, and a list of words for captions."""

from __future__ import annotations

import gzip
import re
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from trainer.errors import TrainerError
from workers.backends.brief_sets import brief_sets
from workers.backends.tiny_words import word_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transformers import PreTrainedTokenizerFast

    from trainer.pocket.paintings import PaintingLabel

_WORD_END = "</w>"
_POSITIONS = 77
#: Tokens of the cut encoding: all bytes, the labels' words whole, then the words of the briefs until it is full.
_TOKENS = 2000
_REAL_MERGES = slice(1, 49152 - 256 - 2 + 1)

Merge = tuple[str, str]


def caption_words(labels: Iterable[PaintingLabel]) -> PreTrainedTokenizerFast:
    """One token for each word of the labels' captions."""
    return word_tokenizer(sorted({word for label in labels for word in label.caption.split()}))


def cut_merges(labels: Iterable[PaintingLabel]) -> Sequence[Merge]:
    """CLIP's merges without those that no word here needs. Any other word still encodes, in more and shorter tokens."""
    families = [family for group in brief_sets().values() for family in group]
    briefs = [text for family in families for text in family.texts]
    texts = {text for label in labels for text in (label.sentence, label.caption, f"in the manner of {label.style}")}
    merges = real_merges()
    ranks = {merge: rank for rank, merge in enumerate(merges)}
    kept: set[Merge] = set()
    for word in [*sorted(_words(texts)), *_by_frequency(briefs)]:
        needed = kept | _merges_of(word, ranks)
        if len(needed) + 2 * 256 + 2 > _TOKENS:
            continue
        kept = needed
    return [merge for merge in merges if merge in kept]


def real_merges() -> Sequence[Merge]:
    """CLIP's merges in their order, from the file in the open_clip_torch wheel, which is not imported."""
    try:
        paths = [path for path in files("open_clip_torch") or [] if path.name == "bpe_simple_vocab_16e6.txt.gz"]
    except PackageNotFoundError:
        paths = []
    if not paths:
        raise TrainerError("CLIP's merges are read from the wheel open_clip_torch: `pip install --no-deps open_clip_torch`")
    lines = gzip.decompress(Path(str(paths[0].locate())).read_bytes()).decode().split("\n")
    return [(first, second) for first, second in (line.split() for line in lines[_REAL_MERGES])]


def clip_tokenizer(merges: Sequence[Merge]) -> CLIPTokenizer:
    """CLIP's byte-pair encoding with these merges: all of them make the real one."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet(), key=lambda letter: (ord(letter) > 255, ord(letter)))  # noqa: PLR2004
    tokens = [*letters, *(f"{letter}{_WORD_END}" for letter in letters), *map("".join, merges), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=list(merges), model_max_length=_POSITIONS)


def _merges_of(word: str, ranks: dict[Merge, int]) -> set[Merge]:
    """The merges by which the real encoding puts a word together."""
    parts = [*word[:-1], word[-1] + _WORD_END]
    used: set[Merge] = set()
    while len(parts) > 1:
        rank, place = min((ranks.get((parts[i], parts[i + 1]), len(ranks)), i) for i in range(len(parts) - 1))
        if rank == len(ranks):
            break
        used.add((parts[place], parts[place + 1]))
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return used


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.findall("[a-z]+", text.lower())}


def _by_frequency(texts: Sequence[str]) -> list[str]:
    counts: dict[str, int] = {}
    for text in texts:
        for word in re.findall("[a-z]+", text.lower()):
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))
