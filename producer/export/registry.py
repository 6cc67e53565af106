"""Export formats by name, as installed packages offer them."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from producer.export.errors import UnknownExportFormat

if TYPE_CHECKING:
    from producer.export.formats.protocol import ExportFormat

#: Entry point group.
EXPORT_FORMATS = "paragone.export_formats"


def format_names() -> tuple[str, ...]:
    """All names, sorted; nothing is imported."""
    return tuple(sorted({point.name for point in entry_points(group=EXPORT_FORMATS)}))


def load_format(name: str) -> ExportFormat:
    """The format of that name; raises `UnknownExportFormat`."""
    for point in entry_points(group=EXPORT_FORMATS, name=name):
        try:
            found: ExportFormat = point.load()()
        except ImportError as error:
            raise UnknownExportFormat(f"the export format {name!r} needs {error.name}: install it") from None
        return found
    known = ", ".join(format_names()) or "none, so reinstall Paragone"
    raise UnknownExportFormat(f"no installed package offers the export format {name!r}; known: {known}")
