"""What can go wrong with a catalogue as a whole; a single bad row or image is reported, never raised.

ProducerError
└── CatalogueUnreadable     no reader accepts the path, or its reader cannot parse it
"""

from __future__ import annotations

from producer.errors import ProducerError


class CatalogueUnreadable(ProducerError):
    """The catalogue cannot be read."""
