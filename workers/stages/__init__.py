"""The four stages: each turns a job's input into a request to a backend, and the backend's answer into a result for the database."""

from __future__ import annotations

from workers.stages.stage import PreparedJob, StageContext, StageHandler

__all__ = ["PreparedJob", "StageContext", "StageHandler"]
