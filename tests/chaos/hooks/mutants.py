"""Mutants of the product: what holds it together is taken out in the worker processes, so that the gates can be seen to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MUTANTS: dict[str, Callable[[], None]] = {}


def switch_on(name: str) -> None:
    """Switch a mutant on in this process."""
    MUTANTS[name]()
