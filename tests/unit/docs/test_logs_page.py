"""The page about logs names the fields that lines have, and its example is one."""

from __future__ import annotations

import json
import re

from db.logs import LogFormat
from db.logs.json_lines import FIELDS
from tests.unit.docs.pages import ROOT, spans

PAGE = "docs/how-to/read-the-logs.md"


def test_the_page_has_every_field_in_its_order() -> None:
    section = (ROOT / PAGE).read_text(encoding="utf-8").split("## JSON lines", maxsplit=1)[1]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == FIELDS


def test_the_page_has_every_form() -> None:
    first = (ROOT / PAGE).read_text(encoding="utf-8").split("\n## ", maxsplit=1)[0]
    assert set(re.findall(r"^\| `(\w+)` \|", first, re.MULTILINE)) == set(LogFormat)


def test_the_example_is_a_line() -> None:
    examples = [json.loads(span.text) for span in spans() if span.page == PAGE and span.language == "json"]
    assert examples
    for line in examples:
        assert list(line) == [name for name in FIELDS if name in line]
