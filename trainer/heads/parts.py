"""Heads as they are named: one over everything, or parts, each over the vectors of one space, side by side. Loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from trainer.errors import UnknownComponent
from trainer.spaces.space_slice import CLIP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The name of a head that is made of parts. Without named parts it has the default ones.
FUSED = "fused"


class HeadPart(BaseModel):
    """One part of a fused head: a head over the columns of one space. Where they lie is known once the spaces are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str
    #: A name in the entry point group `paragone.heads`.
    head: str
    #: The first column of its space in a picture's vector, and how many there are.
    start: int = Field(default=0, ge=0)
    dimension: int = Field(default=0, ge=0)

    @property
    def columns(self) -> slice:
        """Its columns in a picture's vector."""
        return slice(self.start, self.start + self.dimension)

    def __str__(self) -> str:
        return f"{self.space}={self.head}"


def parse_heads(texts: Iterable[str]) -> tuple[str, tuple[HeadPart, ...]]:
    """The head's name and its parts from `NAME`, or from one or several `SPACE=NAME`; raises `ValueError`."""
    texts = list(texts)
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0], ()
    parts = []
    for text in texts:
        space, equals, head = (piece.strip() for piece in text.partition("="))
        if not (space and equals and head):
            raise ValueError(f"{text!r} is no part of a head: write one NAME, or SPACE=NAME for each part")
        if head == FUSED:
            raise ValueError(f"{text!r}: a fused head is made of parts and cannot be one")
        parts.append(HeadPart(space=space, head=head))
    return FUSED, tuple(parts)


def default_parts(spaces: Iterable[str]) -> tuple[HeadPart, ...]:
    """What `fused` means by itself: CLIP as it is and by LDA, every other space by pair whitening; validation weighs them."""
    parts: list[HeadPart] = []
    for space in spaces:
        names = ("frozen", "lda") if space == CLIP else ("pair-whitening",)
        parts += [HeadPart(space=space, head=name) for name in names]
    return tuple(parts)


def placed_parts(parts: Iterable[HeadPart], spaces: Mapping[str, int]) -> tuple[HeadPart, ...]:
    """The parts with their columns; `spaces` is each space's dimension, in the order in which their vectors lie side by side.

    Raises:
        UnknownComponent: a part is of a space that the vectors do not have.
    """
    starts: dict[str, int] = {}
    end = 0
    for space, dimension in spaces.items():
        starts[space] = end
        end += dimension
    placed = []
    for part in parts:
        if part.space not in starts:
            raise UnknownComponent(f"--head {part}: the vectors have no space {part.space!r}; they have: {', '.join(spaces)}")
        placed.append(part.model_copy(update={"start": starts[part.space], "dimension": spaces[part.space]}))
    return tuple(placed)
