"""A generator of which only the tokenizer is there: all that a prompt writer needs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def save_generator_tokenizer(directory: Path) -> Path:
    """Write the tokenizer of the tiny models as a generator's `tokenizer_2`; returns the generator's directory."""
    from workers.backends.tiny_words import clip_tokenizer

    clip_tokenizer().save_pretrained(directory / "tokenizer_2")
    return directory
