from __future__ import annotations

import io
import json
import logging
import threading
from datetime import datetime
from typing import Any

import pytest

from db.logs import context
from db.logs.context import log_context, set_process_fields
from db.logs.json_lines import FIELDS, JsonFormatter
from db.logs.line_writer import LineWriter, PrintedLines


@pytest.fixture(autouse=True)
def _own_process_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_process", {})


def line_of(message: str = "hello", *args: object, **given: Any) -> dict[str, Any]:
    """What the formatter makes of one record, parsed strictly."""
    logger = logging.getLogger("db.some")
    extra = given.pop("extra", None)
    record = logger.makeRecord("db.some", logging.INFO, __file__, 1, message, args, given.get("exc_info"), extra=extra)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return found


def test_a_line_has_time_level_logger_and_message_and_nothing_that_is_not_known() -> None:
    line = line_of("%d of %s", 3, "many")
    assert list(line) == ["time", "level", "logger", "message"]
    assert (line["level"], line["logger"], line["message"]) == ("INFO", "db.some", "3 of many")
    assert line["time"].endswith("Z")
    offset = datetime.fromisoformat(line["time"]).utcoffset()
    assert offset is not None
    assert not offset


def test_fields_come_from_the_process_the_blocks_and_the_record_the_nearest_first() -> None:
    set_process_fields(host="here", worker="gpu0")
    with log_context(campaign="spring", stage="caption"):
        with log_context(stage="generate", job="c1-a1-generate"):
            inner = line_of(extra={"worker": "gpu1", "unheard_of": 1})
        outer = line_of()
    assert {name: inner[name] for name in ("host", "worker", "campaign", "stage", "job")} == {
        "host": "here",
        "worker": "gpu1",
        "campaign": "spring",
        "stage": "generate",
        "job": "c1-a1-generate",
    }
    assert "unheard_of" not in inner
    assert (outer["stage"], outer["worker"], "job" in outer) == ("caption", "gpu0", False)
    assert "stage" not in line_of()
    assert [name for name in FIELDS if name in inner] == list(inner), "the order is always the same"


def test_a_thread_has_the_fields_of_its_own_work_only() -> None:
    found: list[dict[str, Any]] = []
    with log_context(stage="generate"):
        thread = threading.Thread(target=lambda: found.append(line_of()))
        thread.start()
        thread.join()
    assert "stage" not in found[0]


def test_an_exception_is_one_field() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    line = line_of("failed", exc_info=(caught.type, caught.value, caught.tb))
    assert line["message"] == "failed"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("\nZeroDivisionError: division by zero")


def test_no_record_is_too_odd() -> None:
    assert line_of("%d", "three")["message"] == "%d ('three',)"
    assert line_of(extra={"rate": float("nan"), "model": object})["rate"] == "nan"
    assert line_of("\ud800 \x00 joaqu\xedn")["message"] == "\ud800 \x00 joaqu\xedn"


def test_what_is_printed_comes_out_as_lines_once_they_have_ended() -> None:
    stream = io.StringIO()
    printed = PrintedLines(LineWriter(stream))
    with log_context(stage="caption"):
        print("half", end="", file=printed)
        assert stream.getvalue() == ""
        print(" a line\n 10 %\r 20 %\n\nrest", file=printed)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["half a line", " 10 %", " 20 %", "rest"]
    assert {(line["logger"], line["stage"]) for line in lines} == {("stderr", "caption")}


def test_what_another_process_writes_passes_unless_it_is_no_json() -> None:
    stream = io.StringIO()
    own = '{"time": "now", "message": "mine"}'
    LineWriter(stream).copy(io.BytesIO(f"{own}\nFatal Python error\n\n[1, 2]\n{{broken\n".encode() + b"\xff\n"), worker="gpu0")
    lines = stream.getvalue().splitlines()
    assert lines[0] == own
    rest = [json.loads(line) for line in lines[1:]]
    assert [line["message"] for line in rest] == ["Fatal Python error", "[1, 2]", "{broken", "\ufffd"]
    assert {line["worker"] for line in rest} == {"gpu0"}
