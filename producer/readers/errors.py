"""What can go wrong with a catalogue as a whole; a single bad row or picture is reported, never raised.

ProducerError
└── CatalogueUnreadable     no reader takes the path, or its reader cannot make sense of it
"""

from __future__ import annotations

from producer.errors import ProducerError


class CatalogueUnreadable(ProducerError):
    """The catalogue cannot be read."""
