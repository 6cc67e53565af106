"""Measures of a set of prompts, each with the caption that it was written for. None of them uses the writer's own word lists.

- Grounded: the share of tokens whose word stands in the caption, compared without case and in a rough singular. Each mention counts. The
  words
  of the style clause ("in the manner of ...") never do. Beside it the same share over content words alone, without articles, prepositions
  and marks.
- People: prompts with a word for people or their parts where the caption has none, and which the caption does not use itself.
- Contradictions: prompts that say two things of a group of which only one can be so.
- Artists: prompts with the maker that a captioner invented, or with another well-known name.
- Distinct-n (Li et al., 2016): different n-grams over all n-grams, in sets of 60 prompts, one a picture; the mean of the sets.
- Self-BLEU (Zhu et al., 2018): BLEU-4 of each prompt against the others of its set, the mean; n-gram precisions above 1 are smoothed by
  adding one to
  numerator and denominator (Lin and Och, 2004). Lower is more varied.
- Opening: the share of the most frequent first two words.
"""

# ruff: noqa: SIM905, RUF001 - word lists read best as text, and these marks are meant

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SET = 60
_BLEU = 4
_BIN = 5

PEOPLE = frozenset(
    "people person man men woman women child children boy boys girl girls baby babies lady ladies gentleman gentlemen figure figures "
    "face faces hand hands "
    "finger fingers eye eyes mouth lips hair head heads shoulder shoulders arm arms body bodies skin crowd crowds everyone everybody "
    "somebody someone nobody "
    "witness witnesses passenger passengers traveller travellers traveler travelers musician musicians dancer dancers guest guests "
    "worker workers soldier "
    "soldiers king queen emperor knight warrior demigod demigods god gods goddess mortal mortals envoy envoys builder builders explorer "
    "saint angel angels "
    "nun nuns monk monks priest farmer farmers fisherman sailor sailors shepherd family couple mother father daughter son bride groom "
    "gesture gestures "
    "expression costume costumes clothing clothes dress dresses cloak robe robes hat mask masks human humans giant giants titan puppet "
    "passerby inhabitants "
    "villagers citizens vendor vendors artisan artisans fist palm-reader torso skeleton bones voice voices".split()
)

_ARTISTS = (
    "monet manet degas renoir cezanne gauguin van gogh picasso matisse braque klimt schiele kandinsky mondrian malevich chagall dali "
    "magritte rembrandt "
    "vermeer rubens raphael michelangelo leonardo botticelli caravaggio titian tintoretto goya velazquez hokusai hiroshige warhol "
    "pollock rothko turner "
    "aivazovsky repin bosch bruegel durer lautrec modigliani munch hopper"
).replace("van gogh", "gogh")

#: Groups of which one prompt may say one thing alone.
_EXCLUSIVE: tuple[tuple[str, ...], ...] = (
    (r"dawn|sunrise|early morning", r"noon|midday", r"dusk|sunset|evening light", r"midnight|deep night|moonlight|moonlit|night sky"),
    (r"spring", r"high summer|summer", r"autumn|october", r"deep winter|winter|snow\b(?! globe)|snowy"),
    (r"drifting fog|fog", r"storm|gale|thunder(?:cloud|storm)s?", r"clear sky|cloudless|blue sky|sunny"),
    (r"monochrome|narrow range of greys|black and white", r"acid greens|vermilion|burning reds|emerald|multicolou?red|neon"),
    (r"from far above|from orbit|aerial", r"from the ground|from below|looming overhead|towering"),
    (r"cropped close|close up", r"wide empty foreground|huge sky|from far above|panorama"),
    (
        r"thick ridges|impasto|palette knife",
        r"thin luminous washes|thin transparent glazes|flat unmodulated|watercolour|smooth, even paint",
    ),
    (r"matte", r"glossy|jewel-like|enamel"),
    (r"crowded|teeming", r"empty"),
    (r"strict symmetry", r"diagonal"),
    (r"bold outlines|crisp|cut edges", r"soft edges|softened|dissolving|trembling contours|lost and found"),
    (r"warm undertone|golden|amber|candlelight", r"cool undertone|cold silver|silver moonlight|cool overcast"),
    (r"serene|tender|calm", r"tense|rage|dread"),
    (r"festive|joy\b", r"melancholy|grief|solemn"),
)

_STYLE = re.compile(r"in the (?:manner|style) of [^,.;]+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_FUNCTION = frozenset("a an the in on at of with and or to from by for as its it their his her is are this that into over under".split())


@dataclass(frozen=True, kw_only=True)
class Written:
    """A prompt and what it was written from."""

    caption: str
    text: str
    tokens: int
    #: The maker whom the captioner invented; "" for none.
    maker: str = ""


def measure(prompts: Sequence[Sequence[Written]], count: Callable[[str], int], *, limit: int) -> dict[str, Any]:
    """The measures of prompts, given as one sequence for each caption with a prompt for each seed."""
    every = [written for group in prompts for written in group]
    sets = [
        [group[seed] for group in prompts[start : start + SET]] for seed in range(len(prompts[0])) for start in range(0, len(prompts), SET)
    ]
    whole = [[words(written.text) for written in some] for some in sets if len(some) in {SET, len(prompts)}]
    grounded = [_grounded(written, count) for written in every]
    lengths = [written.tokens for written in every]
    openings = Counter(tuple(words(written.text)[:2]) for written in every)
    (opening, times), *_ = openings.most_common(1)
    return {
        "prompts": len(every),
        "grounded": _share(grounded, 0, 1),
        "grounded_content": _share(grounded, 2, 3),
        "people_without_people": [written.text for written in every if people_words(written)],
        "without_people": sum(not names_people(written.caption) for written in every),
        "contradictions": [written.text for written in every if contradictions(written.text)],
        "artists": [written.text for written in every if artists(written)],
        "distinct": [statistics.mean(_distinct(some, n) for some in whole) for n in (1, 2, 3)],
        "self_bleu": statistics.mean(_self_bleu(some) for some in whole),
        "opening": [" ".join(opening), times / len(every)],
        "identical": len(every) - len({written.text for written in every}),
        "tokens": {
            "mean": statistics.mean(lengths),
            "least": min(lengths),
            "most": max(lengths),
            "above_limit": sum(length > limit for length in lengths),
            "histogram": dict(sorted(Counter(length // _BIN * _BIN for length in lengths).items())),
        },
    }


def words(text: str) -> list[str]:
    """The words of a text in small letters."""
    return _WORD.findall(text.casefold())


def stem(word: str) -> str:
    """A rough singular: boats to boat, churches to church, ladies to lady."""
    word = word.removesuffix("'s").removesuffix("’s")
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 2 and not word.endswith("ss"):
            return word[: -len(ending)] + instead
    return word


def names_people(caption: str) -> bool:
    """Whether a caption speaks of people."""
    return any(word in PEOPLE or stem(word) in PEOPLE for word in words(caption)) or bool(set(words(caption)) & _FURTHER_PEOPLE)


#: Words for people that captions have and prompts do not.
_FURTHER_PEOPLE = frozenset(
    "magi magus portrait nude bathers bather christ jesus madonna virgin artist clown geishas geisha samurai poet peasant hunter teacher "
    "students doctor nurse wrestlers "
    "nymph disciples thieves servants cupids party procession shepherds ballet lord apostles prophet merchant judge actor actress "
    "singer".split()
)


def people_words(written: Written) -> set[str]:
    """Words for people in a prompt whose caption has none."""
    if names_people(written.caption):
        return set()
    return (set(words(written.text)) & PEOPLE) - set(words(written.caption))


def contradictions(text: str) -> list[tuple[str, str]]:
    """Pairs in a prompt that exclude each other."""
    found = []
    for group in _EXCLUSIVE:
        said = [match.group() for pattern in group if (match := re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE))]
        found += [(said[0], said[1])] if len(said) > 1 else []
    return found


def artists(written: Written) -> set[str]:
    """Names of artists in a prompt."""
    named = set(words(written.text)) & set(_ARTISTS.split())
    if written.maker and re.search(rf"\b{re.escape(written.maker)}\b", written.text, re.IGNORECASE):
        named.add(written.maker)
    return named


def _grounded(written: Written, count: Callable[[str], int]) -> tuple[int, int, int, int]:
    """Tokens of words out of the caption and all tokens, for all words and for content words."""
    said = {stem(word) for word in words(written.caption)}
    style = {place for match in _STYLE.finditer(written.text) for place in range(*match.span())}
    told = content = content_told = 0
    for match in _WORD.finditer(written.text):
        word = match.group().casefold()
        tokens = _tokens(count, word)
        own = stem(word) in said and match.start() not in style
        told += tokens * own
        if word not in _FUNCTION:
            content += tokens
            content_told += tokens * own
    return told, written.tokens, content_told, content


@cache
def _tokens(count: Callable[[str], int], word: str) -> int:
    return count(word)


def _share(rows: Sequence[tuple[int, int, int, int]], part: int, whole: int) -> float:
    return sum(row[part] for row in rows) / max(1, sum(row[whole] for row in rows))


def _ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1))


def _distinct(texts: Iterable[Sequence[str]], n: int) -> float:
    counts: Counter[tuple[str, ...]] = Counter()
    for tokens in texts:
        counts.update(_ngrams(tokens, n))
    return len(counts) / max(1, counts.total())


def _self_bleu(texts: Sequence[Sequence[str]]) -> float:
    grams = [[_ngrams(tokens, n) for n in range(1, _BLEU + 1)] for tokens in texts]
    # The two highest counts of each n-gram tell the highest count among the others.
    highest: list[dict[tuple[str, ...], tuple[int, int, int]]] = [{} for _ in range(_BLEU)]
    for at, counters in enumerate(grams):
        for n, counter in enumerate(counters):
            for gram, times in counter.items():
                first, owner, second = highest[n].get(gram, (0, -1, 0))
                highest[n][gram] = (times, at, first) if times > first else (first, owner, max(second, times))
    return statistics.mean(_bleu(texts, grams, highest, at) for at in range(len(texts)))


def _bleu(
    texts: Sequence[Sequence[str]],
    grams: Sequence[Sequence[Counter[tuple[str, ...]]]],
    highest: Sequence[dict[Any, tuple[int, int, int]]],
    at: int,
) -> float:
    length = len(texts[at])
    logs = 0.0
    for n in range(_BLEU):
        total, matched = grams[at][n].total(), 0
        for gram, times in grams[at][n].items():
            first, owner, second = highest[n][gram]
            matched += min(times, second if owner == at else first)
        smooth = 0 if n == 0 else 1
        logs += math.log(max(matched + smooth, 1e-9) / max(total + smooth, 1)) / _BLEU
    closest = min(
        (len(tokens) for other, tokens in enumerate(texts) if other != at),
        key=lambda reference: (abs(reference - length), reference),
        default=length,
    )
    brevity = 1.0 if length >= closest else math.exp(1 - closest / max(1, length))
    return brevity * math.exp(logs)
