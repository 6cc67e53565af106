"""What may be wrong between database and store, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

#: Findings that are told one by one; the others are counted.
FIRST_FINDINGS = 20


class FindingKind(StrEnum):
    """One way in which a row and what it stands for disagree."""

    #: An original's blob is not in the store.
    ORIGINAL_MISSING = "original missing"
    #: An original's blob has other bytes than its name says, or cannot be read.
    ORIGINAL_DAMAGED = "original damaged"
    #: A linked original is not where it was left.
    LINK_MISSING = "linked original missing"
    #: A linked original is another file now.
    LINK_CHANGED = "linked original changed"
    #: A current repaint's blob is not in the store.
    REPAINT_MISSING = "repaint missing"
    #: A current repaint's blob has other bytes than its name says, or cannot be read.
    REPAINT_DAMAGED = "repaint damaged"
    #: A repaint that was superseded has no sound blob any more: nothing depends on it.
    HISTORY_LOST = "superseded repaint lost"
    #: A job is done, but there is no current result of it.
    RESULT_MISSING = "result missing"
    #: Several results of one job are current.
    SEVERAL_CURRENT = "several results current"
    #: A current repaint was made from a prompt that is not current any more.
    PROMPT_SUPERSEDED = "repaint of a superseded prompt"
    #: A current caption describes a repaint that is not current any more.
    REPAINT_SUPERSEDED = "caption of a superseded repaint"
    #: A planned repaint lacks one of the jobs that its campaign asks for.
    JOB_MISSING = "job missing"


#: Those that spoil nothing: `verify` tells them, and they are no failure.
HARMLESS = frozenset({FindingKind.HISTORY_LOST})

_REPAIR = "`paragone verify --repair` has it made again"
_INGEST = "only the files can mend it: `paragone ingest` the catalogue again, then `paragone requeue --kind input`"
_BACKUP = "the database lost rows: restore its backup"
#: What mends each.
MENDS: dict[FindingKind, str] = {
    FindingKind.ORIGINAL_MISSING: _INGEST,
    FindingKind.ORIGINAL_DAMAGED: f"`paragone verify --repair` sets it aside; then {_INGEST}",
    FindingKind.LINK_MISSING: "put the file back, or `paragone ingest` without --link",
    FindingKind.LINK_CHANGED: "put the former file back, or `paragone ingest --link` again, which takes the new one",
    FindingKind.REPAINT_MISSING: _REPAIR,
    FindingKind.REPAINT_DAMAGED: _REPAIR,
    FindingKind.HISTORY_LOST: "nothing needs it",
    FindingKind.RESULT_MISSING: _REPAIR,
    FindingKind.SEVERAL_CURRENT: "`paragone verify --repair` keeps the latest",
    FindingKind.PROMPT_SUPERSEDED: _REPAIR,
    FindingKind.REPAINT_SUPERSEDED: _REPAIR,
    FindingKind.JOB_MISSING: _BACKUP,
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One row that is not as it should be."""

    #: What is wrong, such as "repaint missing".
    kind: FindingKind
    #: Which row: an artwork's key, or a job's.
    subject: str
    #: The blob, the file, or what else there is to say.
    detail: str
    #: The job that makes it again; None where none does.
    job_id: int | None = None
    #: The blob whose bytes are wrong, so that it must be set aside before it can be written again; "" if there is none.
    damaged_hash: str = ""


@dataclass(kw_only=True)
class Verification:
    """What was looked at, and what is wrong."""

    #: The campaign's name; None for all, and for originals that are in none.
    campaign: str | None = None
    #: Originals in the store or linked.
    originals: int = 0
    #: Current repaints.
    repaints: int = 0
    #: Repaints that were superseded.
    superseded: int = 0
    #: Files whose bytes were read and hashed, of all these.
    hashed: int = 0
    #: Jobs that are done, each with its result.
    jobs: int = 0
    #: What is wrong, and how often.
    findings: dict[str, int] = field(default_factory=dict)
    #: The first of them.
    first: list[Finding] = field(default_factory=list)
    #: Jobs that `--repair` made ready again.
    requeued: int = 0
    #: Other rows and blobs that it put right.
    corrected: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong that matters."""
        return not set(self.findings) - {str(kind) for kind in HARMLESS}

    def note(self, finding: Finding) -> None:
        """Count it, and keep it if it is one of the first."""
        self.findings[str(finding.kind)] = self.findings.get(str(finding.kind), 0) + 1
        if len(self.first) < FIRST_FINDINGS:
            self.first.append(finding)
