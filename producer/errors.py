"""What can go wrong in the producer's room.

ProducerError
├── WrongUse            options that do not fit together: exit code 2
├── StrangeRooms        a stranger's package shadows one of ours
└── DemoFailed          one step of the demo ended with an error
"""

from __future__ import annotations

from db.errors import ParagoneError


class ProducerError(ParagoneError):
    """The producer can not do this."""


class WrongUse(ProducerError):
    """The options do not fit together."""


class StrangeRooms(ProducerError):
    """Another installed package shadows one of Paragone's rooms."""


class DemoFailed(ProducerError):
    """One step of the demo ended with an error."""
