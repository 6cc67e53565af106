"""Which column holds what: our names for facts, the names that catalogues give them, and what the operator says."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import TYPE_CHECKING

from producer.readers.cells import storable
from producer.readers.errors import CatalogueUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

#: Column names accepted for each of our fields; the first that is present is used.
Aliases = dict[str, tuple[str, ...]]

#: What an operator may call a field of `CatalogueRow`.
OUR_NAMES = {
    "path": "path",
    "image": "path",
    "artist": "artist",
    "title": "title",
    "style": "styles",
    "styles": "styles",
    "subset": "subset",
}

#: The usual names, in any format.
USUAL: Aliases = {
    "path": ("path", "filename", "file", "file_name", "image", "image_path", "img_path", "filepath", "file_path"),
    "artist": ("artist", "creator"),
    "title": ("title", "name", "painting_name"),
    "styles": ("style", "styles", "genre"),
    "subset": ("subset", "split"),
}

_EXAMPLE = "--column style=movement"


def parse_columns(given: Iterable[str]) -> dict[str, str]:
    """`style=movement` and the like as our names to theirs; `title=` says that no column is the title.

    Raises:
        CatalogueUnreadable: one is not of this form, or the first part is none of our names.
    """
    mapping: dict[str, str] = {}
    for one in given:
        ours, equals, theirs = one.partition("=")
        if not equals:
            raise CatalogueUnreadable(f"--column {one} names no column: write it as {_EXAMPLE}")
        _add(mapping, ours, theirs, f"--column {one}")
    return mapping


def read_columns(path: Path) -> dict[str, str]:
    """The table `[columns]` of a TOML file: our names to theirs.

    Raises:
        CatalogueUnreadable: the file cannot be read, has no such table, or names something that is none of ours.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CatalogueUnreadable(f"{path} does not exist: check --columns") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueUnreadable(f"{path} is no readable TOML ({error}): check --columns") from None
    table = content.get("columns")
    if not isinstance(table, dict) or not table:
        raise CatalogueUnreadable(f'{path} has no table [columns]: add one with lines such as style = "movement"')
    mapping: dict[str, str] = {}
    for ours, theirs in table.items():
        if not isinstance(theirs, str):
            raise CatalogueUnreadable(f"{path} gives {ours} no name of a column: write it in quotes")
        _add(mapping, ours, theirs, f"{path}: {ours}")
    return mapping


def _add(mapping: dict[str, str], ours: str, theirs: str, where: str) -> None:
    field = OUR_NAMES.get(ours.strip().casefold())
    if field is None:
        raise CatalogueUnreadable(
            f"{where}: {ours.strip() or 'an empty name'} is none of {', '.join(OUR_NAMES)}; ours stands first, as in {_EXAMPLE}"
        )
    if mapping.get(field, theirs) != theirs:
        raise CatalogueUnreadable(f"{where}: {ours.strip()} has a column already, {mapping[field]}: name one")
    mapping[field] = theirs


def fold_name(name: str) -> str:
    """A column's name as names are compared: without blanks around it, in lower case."""
    return storable(name, Counter()).strip().casefold()


def column_names(path: Path, written: Sequence[str]) -> tuple[str, ...]:
    """Names as they are compared; blank ones are called by their position.

    Raises:
        CatalogueUnreadable: two columns have the same name: one would hide the other.
    """
    names = tuple(fold_name(name) or f"column {position}" for position, name in enumerate(written, start=1))
    doubled = [name for name, times in Counter(names).items() if times > 1]
    if doubled:
        raise CatalogueUnreadable(f"{path} has {Counter(names)[doubled[0]]} columns named {doubled[0]}: rename or remove all but one")
    return names


def find_columns(names: Sequence[str], aliases: Mapping[str, Sequence[str]], mapping: Mapping[str, str], path: Path) -> dict[str, str]:
    """Which of a catalogue's columns holds each of our fields; fields without one are left out.

    Args:
        names: the catalogue's columns, from `column_names`.
        aliases: the names that the format usually gives them.
        mapping: what the operator says, which takes precedence; an empty name means no column.
        path: the catalogue, for the error.

    Raises:
        CatalogueUnreadable: the operator names a column that is not there.
    """
    found = {ours: name for ours, theirs in aliases.items() if (name := next((one for one in theirs if one in names), None))}
    for ours, theirs in mapping.items():
        name = fold_name(theirs)
        if not name:
            found.pop(ours, None)
        elif name in names:
            found[ours] = name
        else:
            raise CatalogueUnreadable(f"{path} has no column {theirs}: its columns are {listed_names(names)}")
    # A column that the operator gave to one field is no other field's by its usual name.
    taken = {found[ours] for ours in mapping if ours in found}
    return {ours: name for ours, name in found.items() if ours in mapping or name not in taken}


def listed_names(names: Sequence[str]) -> str:
    """Column names for an error: not more than fit on a line."""
    shown = 12
    short = [name if len(name) <= 40 else f"{name[:37]}..." for name in names[:shown]]  # noqa: PLR2004  # a line's worth
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{', '.join(short)}{more}"
