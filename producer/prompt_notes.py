"""How a prompt was written, in a few words for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.monitoring.written_prompts import WritingCounts


def how_written(writing: Mapping[str, Any] | None) -> str:
    """Such as "chat, asked 2 times (meta)", or "composed"."""
    if writing is None:
        return "composed"
    faults = Counter(writing.get("faults", ()))
    reasons = ", ".join(f"{fault} x{times}" if times > 1 else str(fault) for fault, times in faults.items())
    asked = int(writing.get("asked", 0))
    words = [str(writing.get("writer", ""))]
    if asked > 1:
        words.append(f"asked {asked} times")
    if writing.get("condensed"):
        words.append(f"condensed ({writing['condensed']})")
    if writing.get("fallback"):
        words.append("fell back to compose")
    return ", ".join(words) + (f" ({reasons})" if reasons else "")


def counts_line(counts: WritingCounts) -> str:
    """One sentence about all prompts of a campaign."""
    if not counts.by_model and not counts.fallback:
        return f"{counts.prompts:,} prompts, all composed without a language model"
    asked = counts.by_model + counts.fallback
    line = f"{counts.prompts:,} prompts: {counts.by_model:,} by a language model ({counts.condensed:,} condensed), "
    line += f"{counts.fallback:,} fell back to compose ({counts.fallback / asked:.1%})"
    if counts.faults:
        line += "; answers not used: " + ", ".join(f"{count:,} {fault}" for fault, count in counts.faults.items())
    return line
