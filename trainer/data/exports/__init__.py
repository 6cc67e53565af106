"""Reading what `paragone export` wrote."""

from __future__ import annotations

from trainer.data.exports.export_pairs import ExportPairs

__all__ = ["ExportPairs"]
