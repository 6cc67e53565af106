"""What can go wrong with an export.

ExportError
├── UnknownExportFormat  no installed package offers that format, or a library that it needs is missing
├── ExportRefused        it would have to replace or mix what is there, or there is nothing to export
├── ExportIncomplete     it is finished, without the pairs whose images could not be had
└── PushFailed           the hub did not take it
"""

from __future__ import annotations

from producer.errors import ProducerError


class ExportError(ProducerError):
    """The export cannot be made."""


class UnknownExportFormat(ExportError):
    """No installed package offers an export format of this name."""


class ExportRefused(ExportError):
    """The export would have to replace what is there: name a new folder, or say --force."""


class ExportIncomplete(ExportError):
    """Images could not be had, and their pairs are not in the export."""


class PushFailed(ExportError):
    """The hub did not take the export."""
