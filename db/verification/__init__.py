"""Whether the database and the store fit together: every row its blob, every artwork its chain; and what can be made again."""

from __future__ import annotations

from db.verification.findings import MENDS, Finding, FindingKind, Verification
from db.verification.verify import verify

__all__ = ["MENDS", "Finding", "FindingKind", "Verification", "verify"]
