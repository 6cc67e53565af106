"""What a subject is: how it is laid and how it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from producer.samples.sketch import Sketch

_NUMBERS = {2: "two", 3: "three"}
#: The most that are counted.
MOST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Something that can be painted once, twice or three times over."""

    name: str
    #: "a boat in a harbour".
    one: str
    #: "{n} boats in a harbour".
    many: str
    lay: Callable[[Sketch], None]

    def words(self, count: int) -> str:
        """What so many of it are called."""
        return self.one if count == 1 else self.many.format(n=_NUMBERS[count])
