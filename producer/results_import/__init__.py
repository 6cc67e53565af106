"""Importing results that were made elsewhere: captions, prompts and repaints become finished jobs of a campaign."""

from __future__ import annotations

from producer.results_import.options import ImportOptions
from producer.results_import.outcomes import ImportReport
from producer.results_import.run import import_results

__all__ = ["ImportOptions", "ImportReport", "import_results"]
