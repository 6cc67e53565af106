"""The report: a page and a sheet that show what a campaign made and what was learned from it."""

from __future__ import annotations

from trainer.report.facts import Example, ExampleRepaint, Pair, ReportFacts, ReportRun
from trainer.report.gathering import gather_report
from trainer.report.page import write_report

__all__ = ["Example", "ExampleRepaint", "Pair", "ReportFacts", "ReportRun", "gather_report", "write_report"]
