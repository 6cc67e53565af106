"""What can go wrong with an import as a whole; a single bad row is reported, never raised.

ProducerError
└── ResultsUnreadable   the file names neither originals nor results, or the folder of repaints is not there
"""

from __future__ import annotations

from producer.errors import ProducerError


class ResultsUnreadable(ProducerError):
    """The results cannot be read."""
