"""What is said about a painting while models learn to read: the painter's own sentence, and prompts as the prompt writer composes them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from workers.backends.brief_sets import brief_sets
from workers.backends.clauses import caption_clauses, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from trainer.pocket.paintings import Truth

#: Which facts a text may tell, and how often a whole batch of texts tells just these. Half a truth belongs to several pictures.
TELLINGS = (
    (("caption", "style", "palette"), 0.5),
    (("style",), 0.12),
    (("palette",), 0.12),
    (("caption",), 0.14),
    (("style", "palette"), 0.06),
    (("caption", "style"), 0.06),
)

#: Most texts carry some phrases that mean nothing to a painter of samples, as the prompt writer's do; models learn to pass over them.
_WITH_PHRASES = 0.4
_MOST_PHRASES = 5
_AS_SENTENCE = 0.3


def draw_telling(rng: np.random.Generator) -> tuple[str, ...]:
    """Which facts the next batch tells."""
    shares = [share for _, share in TELLINGS]
    return TELLINGS[int(rng.choice(len(TELLINGS), p=shares))][0]


def tell(truth: Truth, facts: Sequence[str], rng: np.random.Generator) -> str:
    """A text with these facts of a painting, in one of several wordings."""
    if set(facts) == {"caption", "style", "palette"} and rng.random() < _AS_SENTENCE:
        return truth.sentence
    clauses = [clause(truth, fact) for fact in facts if fact != "caption"]
    rng.shuffle(clauses)
    # The prompt writer leaves a captioner's "a painting of" out.
    said = truth.caption if rng.random() < 0.5 else join(caption_clauses(truth.caption, rank=0))  # noqa: PLR2004
    first = [said] if "caption" in facts else ["a painting"] if rng.random() < 0.5 else []  # noqa: PLR2004
    return ", ".join([*first, *clauses])


def clause(truth: Truth, fact: str) -> str:
    """A fact as the prompt writer says it."""
    return f"in the manner of {truth.style}" if fact == "style" else f"in {truth.palette} colours" if fact == "palette" else truth.caption


def tell_prompt(truth: Truth, rng: np.random.Generator) -> str:
    """A text such as the refiner is given: mostly all facts, mostly with phrases around them."""
    facts = [fact for fact, share in (("caption", 0.95), ("style", 0.92), ("palette", 0.8)) if rng.random() < share]
    return with_phrases(tell(truth, facts, rng), rng)


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
    return sorted({phrase for family in families for phrase in (*family.details, *family.finish)})
