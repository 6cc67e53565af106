"""What can go wrong with an image."""

from __future__ import annotations


class UnreadableImage(ValueError):
    """The bytes hold no image that can be used; the message is one clear reason, such as "truncated"."""
