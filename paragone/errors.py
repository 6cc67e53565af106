"""What can go wrong in the public package, beside what the packages under it raise.

ParagoneError           the root (db.errors): whatever Paragone raises on purpose
├── WorkFailed          the workers ended with an error
└── MissingExtra        a part of the installation is absent
ImportError
└── ShadowedPackage     another package has the name of one of Paragone's (paragone.shadowing)
"""

from __future__ import annotations

from db.errors import ParagoneError


class WorkFailed(ParagoneError):
    """The workers ended with an error."""


class MissingExtra(ParagoneError):
    """A part of the installation is absent."""


__all__ = ["MissingExtra", "ParagoneError", "WorkFailed"]
