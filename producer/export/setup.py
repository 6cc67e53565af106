"""One export as it is set up: whose pairs, in which format, with which options, and which rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.campaigns import Campaign
    from producer.export.formats.protocol import ExportFormat
    from producer.export.options import ExportOptions
    from producer.export.plan import ExportPlan


@dataclass(frozen=True, kw_only=True)
class ExportSetup:
    """What the pieces, the card and the metadata are made from."""

    campaign: Campaign
    format: ExportFormat
    options: ExportOptions
    plan: ExportPlan
