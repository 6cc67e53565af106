"""The fields of a class as its source has them: name, type, default and the `#:` comment above; nothing is imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SourceField:
    """One annotated name of a class body."""

    name: str
    type: str
    #: As it is written; "" where there is none.
    default: str
    #: The `#:` lines above it, joined.
    comment: str


def fields_of(place: str, *, share_comments: bool = False) -> list[SourceField]:
    """The fields of `module:Class`, in order; raises `LookupError` where there is no such class.

    With `share_comments` a field that follows on the next line without a comment has that of the field above.
    """
    module, _, name = place.partition(":")
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise LookupError(f"there is no module {module}")
    source = Path(spec.origin).read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _fields(node, source.splitlines(), share_comments=share_comments)
    raise LookupError(f"{module} has no class {name}")


def _fields(node: ast.ClassDef, lines: list[str], *, share_comments: bool) -> list[SourceField]:
    found: list[SourceField] = []
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name) or statement.target.id.startswith("_"):
            continue
        comment = _comment(lines, statement.lineno - 1)
        if share_comments and not comment and found and lines[statement.lineno - 2].strip():
            comment = found[-1].comment
        value = "" if statement.value is None else ast.unparse(statement.value)
        found.append(SourceField(name=statement.target.id, type=ast.unparse(statement.annotation), default=value, comment=comment))
    return found


def _comment(lines: list[str], below: int) -> str:
    above: list[str] = []
    for line in reversed(lines[:below]):
        if not line.strip().startswith("#:"):
            break
        above.insert(0, line.strip().removeprefix("#:").strip())
    return " ".join(above)
