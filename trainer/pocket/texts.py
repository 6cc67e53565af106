"""Texts about a painting, to train on: the sentence of its label, and prompts as the prompt writer composes them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from workers.backends.brief_sets import brief_sets
from workers.backends.clauses import caption_clauses, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from trainer.pocket.paintings import PaintingLabel

#: Which attributes a text may name, and how often a whole batch of texts names just these. A text of few attributes fits several images.
ATTRIBUTE_SETS = (
    (("caption", "style", "palette"), 0.5),
    (("style",), 0.12),
    (("palette",), 0.12),
    (("caption",), 0.14),
    (("style", "palette"), 0.06),
    (("caption", "style"), 0.06),
)

#: Many texts carry phrases that mean nothing in a sample painting, as the prompt writer's do; models learn to ignore them.
_WITH_PHRASES = 0.4
_MOST_PHRASES = 5
_AS_SENTENCE = 0.3


def draw_attributes(rng: np.random.Generator) -> tuple[str, ...]:
    """Which attributes the texts of the next batch name."""
    shares = [share for _, share in ATTRIBUTE_SETS]
    return ATTRIBUTE_SETS[int(rng.choice(len(ATTRIBUTE_SETS), p=shares))][0]


def describe(label: PaintingLabel, facts: Sequence[str], rng: np.random.Generator) -> str:
    """A text with these facts of a painting, in one of several wordings."""
    if set(facts) == {"caption", "style", "palette"} and rng.random() < _AS_SENTENCE:
        return label.sentence
    clauses = [clause(label, fact) for fact in facts if fact != "caption"]
    rng.shuffle(clauses)
    # The prompt writer leaves a captioner's "a painting of" out.
    caption = label.caption if rng.random() < 0.5 else join(caption_clauses(label.caption, rank=0))  # noqa: PLR2004
    first = [caption] if "caption" in facts else ["a painting"] if rng.random() < 0.5 else []  # noqa: PLR2004
    return ", ".join([*first, *clauses])


def clause(label: PaintingLabel, fact: str) -> str:
    """An attribute in the words of the prompt writer."""
    return f"in the manner of {label.style}" if fact == "style" else f"in {label.palette} colours" if fact == "palette" else label.caption


def describe_as_prompt(label: PaintingLabel, rng: np.random.Generator) -> str:
    """A text such as the refiner is given: mostly all facts, mostly with phrases around them."""
    facts = [fact for fact, share in (("caption", 0.95), ("style", 0.92), ("palette", 0.8)) if rng.random() < share]
    return with_phrases(describe(label, facts, rng), rng)


def with_phrases(text: str, rng: np.random.Generator) -> str:
    """The text, sometimes followed by a few details and finishes out of the briefs."""
    if rng.random() > _WITH_PHRASES:
        return text
    known = phrases()
    picked = [known[int(place)] for place in rng.integers(0, len(known), rng.integers(1, _MOST_PHRASES))]
    return ", ".join([text, *picked])


@cache
def phrases() -> Sequence[str]:
    """All details and finishes of the briefs that pocket models are given."""
    families = [family for name in ("moderate", "restyle") for family in brief_sets()[name]]
    return sorted({phrase for family in families for phrase in family.phrases})
