"""The audit of a split: what its sides share, and the stop to a training that would leak."""

from __future__ import annotations

from trainer.audit.audit import AuditedSplit, audit_split
from trainer.audit.findings import LeakageAudit, LeakageSummary, SharedFinding, SharedKind, SharedPair, SharedSeverity
from trainer.audit.sided_pictures import ContentHasher, PictureSpace, SidedPictures, sided_pictures
from trainer.audit.training_audit import AUDIT, REFUSED_AUDIT, audit_training, join_alike, keep_audit

__all__ = [
    "AUDIT",
    "REFUSED_AUDIT",
    "AuditedSplit",
    "ContentHasher",
    "LeakageAudit",
    "LeakageSummary",
    "PictureSpace",
    "SharedFinding",
    "SharedKind",
    "SharedPair",
    "SharedSeverity",
    "SidedPictures",
    "audit_split",
    "audit_training",
    "join_alike",
    "keep_audit",
    "sided_pictures",
]
