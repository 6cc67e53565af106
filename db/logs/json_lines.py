"""A log record as one line of JSON."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from db.logs.context import current_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Every key that a line may have, in this order; the first four are in every line, the others where they are known.
FIELDS = (
    *("time", "level", "logger", "message"),
    # Where, and on what: set by whoever handles a batch or a job.
    *("host", "worker", "campaign", "stage", "job"),
    # Of a model that was loaded.
    *("model", "revision", "device"),
    # Of a summary.
    *("seconds", "done", "failed", "jobs", "rate", "busy", "left"),
    "exception",
)
#: What a record may bring along itself, by `extra=`.
_EXTRA = FIELDS[4:-1]


class JsonFormatter(logging.Formatter):
    """One JSON object for one record, whatever is in it: a log must not be what fails."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": _utc(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        own = {name: record.__dict__[name] for name in _EXTRA if record.__dict__.get(name) is not None}
        known = current_fields() | own
        line |= {name: known[name] for name in _EXTRA if name in known}
        if exception := self._exception(record):
            line["exception"] = exception
        return _dumped(line)

    def _exception(self, record: logging.LogRecord) -> str:
        parts = []
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(self.formatException(record.exc_info))
        elif record.exc_text:
            parts.append(record.exc_text)
        if record.stack_info:
            parts.append(record.stack_info)
        return "\n".join(parts)


def text_as_json(text: str, **fields: object) -> str:
    """A line for text that came by no logger: what a library printed, what the C runtime said before it ended the process."""
    facts = {"time": _utc(datetime.now(UTC).timestamp()), "level": "WARNING", "logger": "stderr", "message": text}
    known = current_fields() | fields
    return _dumped(facts | {name: known[name] for name in _EXTRA if name in known})


def is_json_line(text: str) -> bool:
    """Whether it is one of these lines already."""
    if not text.startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # a library's arguments do not fit its own text
        return f"{record.msg} {record.args}"


def _dumped(line: Mapping[str, object]) -> str:
    try:
        return json.dumps(line, default=str, allow_nan=False)
    except ValueError:  # NaN and infinity are no JSON
        return json.dumps({name: str(value) for name, value in line.items()})
