"""The report: a page and a contact sheet with the repaints of a campaign and the results of training on it."""

from __future__ import annotations

from trainer.report.content import ExampleArtwork, ExamplePair, ExampleRepaint, ReportContent, ReportRun
from trainer.report.gather import gather_report
from trainer.report.page import write_report

__all__ = ["ExampleArtwork", "ExamplePair", "ExampleRepaint", "ReportContent", "ReportRun", "gather_report", "write_report"]
