"""A prompt as a list of clauses, and its shortening: whole clauses go, the least informative first, none is ever cut inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Where a caption can be taken apart: after punctuation, and before the words that join on something more.
_SEAM = re.compile(r"\s*[,;.:]+\s+|\s+(?=(?:with|and|while|next to|in front of|surrounded by)\s)", re.IGNORECASE)

#: How captioners begin before they describe anything.
_OPENING = re.compile(
    r"^(?:this is |there is |it is )?(?:an?|the)? ?(?:\w+ )?(?:painting|picture|image|photo|photograph|drawing|artwork)"
    r" (?:of|showing|depicting) (?=\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A part of a prompt that stands or goes as a whole."""

    text: str
    #: How informative it is: 0 is kept longest.
    rank: int
    #: What joins it to the clause before.
    glue: str = ", "


def join(clauses: Sequence[Clause]) -> str:
    """The clauses as one text, in their order."""
    return "".join(f"{clause.glue if index else ''}{clause.text}" for index, clause in enumerate(clauses))


def shorten(clauses: Sequence[Clause], fits: Callable[[str], bool]) -> list[Clause]:
    """Drop the least informative clauses (of equals the last) until the text fits; nothing may be left."""
    kept = list(clauses)
    while kept and not fits(join(kept)):
        kept.remove(max(reversed(kept), key=lambda clause: clause.rank))
    return kept


def caption_clauses(caption: str, *, rank: int) -> list[Clause]:
    """A caption taken apart at its seams. The first part has rank 0, what follows `rank` and up."""
    text = _OPENING.sub("", " ".join(caption.split())).strip(" ,;.:")
    parts: list[Clause] = []
    start = 0
    glue = ""
    for seam in [*_SEAM.finditer(text), None]:
        part = text[start : seam.start() if seam else len(text)].strip(" ,;.:")
        if part:
            parts.append(Clause(text=part, rank=rank + len(parts) if parts else 0, glue=glue))
        if seam:
            start = seam.end()
            glue = ", " if seam.group().strip() else " "
    return parts
