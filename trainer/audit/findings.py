"""What sides of a split share, found or ruled out: kept as `audit.json` beside the model."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from db.training import Split
from trainer.splits.assignment import SplitUnit


class SharedKind(StrEnum):
    """What two sides of a split can share."""

    #: Copies of one work.
    GROUP = "shared group"
    #: Works of one artist.
    ARTIST = "shared artist"
    #: Files with equal bytes, of different works.
    CONTENT = "equal content"
    #: Pictures of different works that embedding and difference hash both find near.
    NEAR_DUPLICATE = "near-duplicate"
    #: Pictures of different works that the embedding finds near; their pixels differ, or were not compared.
    NEAR_BY_EMBEDDING = "near by embedding"
    #: Originals of different works whose difference hashes are nearly equal, and whose embeddings are not near.
    NEAR_BY_HASH = "near by hash"


class SharedSeverity(StrEnum):
    """What a finding means for the figures."""

    #: What is tested was learned from: the figures are too good.
    LEAK = "leak"
    #: To be known by whoever reads the figures.
    WARNING = "warning"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class SharedPair(_Record):
    """Two pictures, by the keys of their works, and the sides that they are on."""

    one: str
    one_side: Split
    other: str
    other_side: Split
    #: What they have in common.
    why: str

    def __str__(self) -> str:
        return f"{self.one} ({self.one_side}) and {self.other} ({self.other_side}): {self.why}"


class SharedFinding(_Record):
    """All that sides share in one way."""

    kind: SharedKind
    severity: SharedSeverity
    #: Groups, artists, contents or pairs of pictures, as the kind says; the pairs are the first of them.
    count: int
    pairs: tuple[SharedPair, ...]


class LeakageSummary(_Record):
    """The audit in the model's configuration."""

    #: Kind to how many of it make the figures too good.
    leaks: dict[SharedKind, int]
    #: Kind to how many of it should be known by whoever reads the figures.
    warnings: dict[SharedKind, int]
    #: Whether the head was trained although there are leaks, because that was asked for.
    allowed: bool


class LeakageAudit(_Record):
    """`audit.json`: what was looked for across the sides of a split, and what was found."""

    format: int = 1
    split: str
    unit: SplitUnit
    split_fingerprint: str
    originals: int
    repaints: int
    #: What was looked for, and how much of it could not be.
    checked: tuple[str, ...]
    findings: tuple[SharedFinding, ...]
    #: Whether leaks do not stop the training.
    allowed: bool = False

    def of(self, severity: SharedSeverity) -> list[SharedFinding]:
        """The findings of a severity, the gravest kind first."""
        order = list(SharedKind)
        return sorted((finding for finding in self.findings if finding.severity is severity), key=lambda finding: order.index(finding.kind))

    @property
    def leaks(self) -> list[SharedFinding]:
        """What makes the figures too good."""
        return self.of(SharedSeverity.LEAK)

    def lines(self) -> list[str]:
        """What a person should know of it, a line each; none if the sides share nothing."""
        findings = [*self.leaks, *self.of(SharedSeverity.WARNING)]
        return [f"audit: {finding.severity}: {finding.count} x {finding.kind} on several sides" for finding in findings]

    def summary(self) -> LeakageSummary:
        """Counts by kind."""
        counts = {severity: {finding.kind: finding.count for finding in self.of(severity)} for severity in SharedSeverity}
        return LeakageSummary(leaks=counts[SharedSeverity.LEAK], warnings=counts[SharedSeverity.WARNING], allowed=self.allowed)
