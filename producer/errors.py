"""What can go wrong in the producer package.

ProducerError
├── WrongUse            options that do not fit together: exit code 2
├── NothingRegistered   a campaign is asked for, but there is no artwork yet
├── NoArtworks          a catalogue or folder holds no artwork
├── NothingToPlan       every artwork that a campaign could take is left out
├── UnknownArtwork      no artwork has that id or key
├── UnknownStyle        no artwork has that style
├── PortTaken           Flower cannot listen at the address and port asked for
└── DemoFailed          one step of the demo ended with an error
"""

from __future__ import annotations

from db.errors import ParagoneError


class ProducerError(ParagoneError):
    """The producer cannot do this."""


class WrongUse(ProducerError):
    """The options do not fit together."""


class NothingRegistered(ProducerError):
    """No artwork is registered yet: run `paragone ingest CATALOGUE` first."""

    def __init__(self) -> None:
        super().__init__("no artwork is registered yet: run `paragone ingest CATALOGUE` first")


class NoArtworks(ProducerError):
    """A catalogue or folder holds no artwork."""


class NothingToPlan(ProducerError):
    """Every artwork that a campaign could take is left out of it."""


class UnknownArtwork(ProducerError):
    """There is no artwork of that id or key."""


class UnknownStyle(ProducerError):
    """No artwork has that style."""


class PortTaken(ProducerError):
    """Flower cannot listen at that address: choose another --port."""


class DemoFailed(ProducerError):
    """One step of the demo ended with an error."""
