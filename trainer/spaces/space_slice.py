"""Which columns of the matrix of vectors a space has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The kind of space whose plain cosine every head is compared with.
CLIP = "clip"


@dataclass(frozen=True, kw_only=True)
class SpaceSlice:
    """Columns `start` up to `stop` of every vector, and the model that computes them."""

    #: As `SpaceRequest.name` gives it: "clip", "latents", "vision:facebook/dinov2-small".
    name: str
    #: Hugging Face id or local directory.
    source: str
    #: The commit or content hash that was loaded.
    revision: str
    #: In which numbers the model computes.
    dtype: str
    start: int
    stop: int

    @property
    def dimension(self) -> int:
        """How many columns."""
        return self.stop - self.start

    @property
    def columns(self) -> slice:
        """To index with: `vectors[:, one.columns]`."""
        return slice(self.start, self.stop)

    @property
    def is_clip(self) -> bool:
        """Whether these are CLIP's own image vectors."""
        return self.name.partition(":")[0] == CLIP


def frozen_slice(slices: Sequence[SpaceSlice]) -> SpaceSlice:
    """The space by whose plain cosine a head is judged: CLIP, or the first where CLIP is not among them."""
    return next((one for one in slices if one.is_clip), slices[0])
