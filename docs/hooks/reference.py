"""MkDocs hook: the reference pages for settings, JSON output and tables are written from the code at each build."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

# MkDocs loads a hook by its path alone: its neighbours are found here.
sys.path.insert(0, str(Path(__file__).parent))

from fields import fields_of
from json_output import OUTPUTS, Output

from db.secret_files import LIBRARY_SECRETS, PASSWORDS, SUFFIX, may_be_a_file
from db.settings import Settings
from db.tables import metadata

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from sqlalchemy import Column, Table


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the written pages to the tree."""
    for name, content in {"settings": settings_page(), "json": json_page(), "tables": tables_page()}.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def settings_page() -> str:
    """Every `PARAGONE_` variable with its type, default and meaning."""
    prefix = str(Settings.model_config.get("env_prefix", ""))
    rows = [
        (f"`{prefix}{field.name.upper()}`", f"`{_plain_type(field.type)}`", _default(field.name), field.comment)
        for field in fields_of("db.settings:Settings", share_comments=True)
        if field.name != "model_config"
    ]
    return (
        "# Settings\n\nEach process reads these environment variables once, at its start; nothing needs to be set. `SecretStr` values are "
        "never printed, and no command shows the password of a URL. Written from `db.settings.Settings`.\n\n"
        + _table(("variable", "type", "default", "meaning"), rows)
        + secrets_section(prefix)
    )


def secrets_section(prefix: str) -> str:
    """What can be given as a file, and the passwords that stand beside their URLs."""
    files = [f"`{prefix}{name.upper()}`" for name, field in Settings.model_fields.items() if may_be_a_file(name, field)]
    libraries = ", ".join(f"`{name}`" for name in LIBRARY_SECRETS)
    passwords = [
        (
            f"`{password}`",
            f"`{prefix}{name.upper()}`",
            f"put into that URL, which holds none: any characters, nothing escaped; also `{password}{SUFFIX}`",
        )
        for name, password in PASSWORDS.items()
    ]
    return (
        "\n## Secrets as files\n\n"
        f"Each of these may be given as `NAME{SUFFIX}` instead, which holds the path of a file with the value: "
        f"{', '.join(files)}, and what libraries read for themselves, {libraries}. A last line break is no part of it. "
        "It is an error to set both, or to name a file that is missing, empty or holds more than one line. "
        "No message shows what a file holds.\n\n" + _table(("password", "of", "meaning"), passwords)
    )


def json_page() -> str:
    """What `--json` prints, command by command."""
    parts = [
        (
            "# JSON output\n\n"
            "`--json` prints one JSON document on standard output and nothing else there; warnings go to standard error. "
            "Keys are added over time and never renamed. Types are Python's: `None` is `null`, tuples are arrays, enums are their values. "
            "Written from the classes that the commands print."
        )
    ]
    parts += [_output(command, output) for command, output in OUTPUTS.items()]
    return "\n\n".join(parts) + "\n"


def tables_page() -> str:
    """Every table with its columns."""
    parts = [
        (
            "# Tables\n\n"
            "All times are seconds since 1970 as doubles, from the [database's clock](../decisions/0009-time-is-the-databases.md). "
            "The [data model](../concepts/data-model.md) shows how the tables hang together. Written from `db.tables.metadata`."
        )
    ]
    parts += [_columns(table) for table in sorted(metadata.tables.values(), key=lambda table: table.name)]
    return "\n\n".join(parts) + "\n"


def _output(command: str, output: Output) -> str:
    rows = [(f"`{key}`", f"`{type_}`", meaning) for key, (type_, meaning) in output.before.items()]
    for place in output.classes:
        rows += [(f"`{field.name}`", f"`{field.type}`", field.comment or output.meanings.get(field.name, "")) for field in fields_of(place)]
    rows += [(f"`{key}`", f"`{type_}`", meaning) for key, (type_, meaning) in output.after.items()]
    table = _table(("key", "type", "meaning"), rows)
    parts = [f"## {command}\n\n{output.shape}\n\n{table}"]
    for title, place in output.parts.items():
        inner = [(f"`{field.name}`", f"`{field.type}`", field.comment) for field in fields_of(place)]
        parts.append(f"### {title}\n\n" + _table(("key", "type", "meaning"), inner))
    return "\n\n".join(parts)


def _columns(table: Table) -> str:
    rows = [(f"`{column.name}`", str(column.type).lower(), "" if column.nullable else "yes", _key(column)) for column in table.columns]
    return f"## {table.name}\n\n" + _table(("column", "type", "required", "key"), rows)


def _key(column: Column[Any]) -> str:
    keys = ["primary"] if column.primary_key else []
    keys += [f"refers to `{key.column.table.name}.{key.column.name}`" for key in column.foreign_keys]
    if column.unique:
        keys.append("unique")
    return ", ".join(keys)


def _default(name: str) -> str:
    default = Settings.model_fields[name].default
    value = default.get_secret_value() if hasattr(default, "get_secret_value") else default
    return "" if value in ("", None) else f"`{value}`"


def _plain_type(written: str) -> str:
    return written.replace(" | None", "")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def cell(text: str) -> str:
        return " ".join(text.split()).replace("|", "\\|")

    lines = [head, tuple("---" for _ in head), *(tuple(cell(text) for text in row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
