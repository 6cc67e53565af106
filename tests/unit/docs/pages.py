"""What stands in the documentation: its pages, and the commands, code and names in them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from db.secret_files import PASSWORDS, SUFFIX, may_be_a_file
from db.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_ENDS = re.compile(r"\s*(?:;|\||&&|#)\s*")


@dataclass(frozen=True, kw_only=True)
class Span:
    """One piece of code in a page: a fenced block, or a few words between backticks."""

    page: str
    #: Of a fence; "" for words between backticks.
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text.strip()[:60]}"


def pages() -> list[Path]:
    """Every page that a reader meets, except the changelog, which speaks of what was."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]


@cache
def spans() -> tuple[Span, ...]:
    """All code of all pages."""
    return tuple(span for page in pages() for span in _spans(page))


def known_variables() -> set[str]:
    """Every `PARAGONE_` variable that is read, also those that name files and passwords."""
    settings = {f"PARAGONE_{name.upper()}" for name in Settings.model_fields}
    files = {f"PARAGONE_{name.upper()}_FILE" for name, field in Settings.model_fields.items() if may_be_a_file(name, field)}
    return settings | files | {name + suffix for name in PASSWORDS.values() for suffix in ("", SUFFIX)}


def commands() -> Iterator[tuple[Span, list[str]]]:
    """Each `paragone ...` command line without its first word, where it stands in a shell block or between backticks."""
    for span in spans():
        if span.language not in {"", "sh"}:
            continue
        for line in span.text.splitlines():
            for part in _ENDS.split(line):
                words = shlex.split(part.removeprefix("$ "), posix=False) if "paragone" in part and "'" not in part else []
                if "paragone" in words:
                    yield span, words[words.index("paragone") + 1 :]


def _spans(page: Path) -> Iterator[Span]:
    text = page.read_text(encoding="utf-8")
    name = str(page.relative_to(ROOT))
    for fence in _FENCE.finditer(text):
        indent = len(fence["indent"])
        yield Span(page=name, language=fence["language"] or "text", text="\n".join(line[indent:] for line in fence["text"].splitlines()))
    for words in _INLINE.findall(_FENCE.sub("", text)):
        yield Span(page=name, language="", text=words)
