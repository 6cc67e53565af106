"""How the commands that control a campaign name what they act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.enums import Stage


def describe_scope(campaign: str, stage: Stage | None) -> str:
    """The campaign of that name, or one of its stages, as part of a sentence."""
    return f"campaign {campaign}" if stage is None else f"{stage} of campaign {campaign}"
