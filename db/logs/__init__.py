"""Logs: lines for people, or with `PARAGONE_LOG=json` one JSON object a line, each with what was being worked on."""

from db.logs.context import current_fields, log_context, set_process_fields
from db.logs.log_format import LINE_FORMAT, LogFormat, wanted_format
from db.logs.set_up import json_writer, log_json_lines, tell_error

__all__ = [
    "LINE_FORMAT",
    "LogFormat",
    "current_fields",
    "json_writer",
    "log_context",
    "log_json_lines",
    "set_process_fields",
    "tell_error",
    "wanted_format",
]
