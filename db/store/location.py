"""Where a store is, as it may be shown: a URL can hold a key and its secret."""

from __future__ import annotations

import re

#: The user's part of a URL, up to the last "@": a password may hold "@" and "/" that nobody escaped.
_PASSWORD = re.compile(r"(://[^:@/]*):([^?]*)@")
#: Parameters of a URL, which may be signatures.
_PARAMETERS = re.compile(r"(://[^?]*)\?.*")


def display_location(location: str) -> str:
    """The location with `***` for a password and for parameters of its URL."""
    return _PARAMETERS.sub(r"\1?***", _PASSWORD.sub(r"\1:***@", location))


def without_secrets(text: str, location: str) -> str:
    """A message from a library, which may repeat the location or the password in it."""
    text = text.replace(location, display_location(location))
    for found in _PASSWORD.finditer(location):
        if found.group(2):
            text = text.replace(found.group(2), "***")
    return text
