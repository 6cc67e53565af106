"""What can go wrong with a picture."""

from __future__ import annotations


class UnreadableImage(ValueError):
    """The bytes hold no picture that can be used; the message is one clear reason, such as "truncated"."""
