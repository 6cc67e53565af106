"""Importing results that were made elsewhere: captions, prompts and repaints become finished jobs of a campaign."""

from __future__ import annotations

from producer.results_import.outcomes import ImportReport
from producer.results_import.run import ImportOptions, import_results

__all__ = ["ImportOptions", "ImportReport", "import_results"]
