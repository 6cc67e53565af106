"""Rows and files of one work brought together: by the work's key, and where a name lost letters for good, by what is left of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from producer.cleaning.names import Name, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from producer.readers import Catalogue, CatalogueFile, CatalogueRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """A file of a work, and what its name says."""

    file: CatalogueFile
    name: Name
    #: True if the name had to be repaired to find its work.
    repaired: bool


@dataclass(kw_only=True, slots=True)
class Draft:
    """One work while it is gathered: its rows (the first one rules) and its files (the first one is the original)."""

    key: str
    #: What the first path says.
    name: Name
    rows: list[CatalogueRow] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    #: Lines of a file list that name a path a second time.
    repeated: list[CatalogueFile] = field(default_factory=list)


def join(catalogue: Catalogue) -> list[Draft]:
    """Works in the order of the catalogue; works that no row describes follow."""
    drafts: dict[str, Draft] = {}
    for row in catalogue.rows:
        name = name_of(row.path, names_tell=catalogue.names_tell)
        drafts.setdefault(name.key, Draft(key=name.key, name=name)).rows.append(row)
    strangers: list[tuple[CatalogueFile, Name]] = []
    for file in catalogue.files:
        name = name_of(file.path, names_tell=catalogue.names_tell)
        draft = drafts.get(name.key)
        if draft is None:
            strangers.append((file, name))
        else:
            _attach(draft, file, name, repaired=name.broken)
    for file, name in _without_lost_letters(drafts.values(), strangers):
        _attach(drafts.setdefault(name.key, Draft(key=name.key, name=name)), file, name, repaired=name.broken)
    for draft in drafts.values():
        _own_file_first(draft)
    return list(drafts.values())


def skeleton(key: str) -> str:
    """What every kind of encoding damage leaves of a name: its ASCII characters."""
    return key.encode("ascii", "ignore").decode()


def _without_lost_letters(drafts: Iterable[Draft], strangers: list[tuple[CatalogueFile, Name]]) -> Iterable[tuple[CatalogueFile, Name]]:
    """Attach strangers with damaged names to the one fileless work whose name has the same skeleton; gives those that stay strangers."""
    waiting: defaultdict[str, list[Draft]] = defaultdict(list)
    if any(not name.key.isascii() for _, name in strangers):
        for draft in drafts:
            if not draft.copies and not draft.key.isascii():
                waiting[skeleton(draft.key)].append(draft)
    for file, name in strangers:
        found = waiting.get(skeleton(name.key), []) if not name.key.isascii() else []
        if len(found) == 1:
            _attach(found[0], file, name, repaired=True)
        else:
            yield file, name


def _attach(draft: Draft, file: CatalogueFile, name: Name, *, repaired: bool) -> None:
    if draft.copies and any(copy.file.path == file.path for copy in draft.copies):
        draft.repeated.append(file)
    else:
        draft.copies.append(Copy(file=file, name=name, repaired=repaired))


def _own_file_first(draft: Draft) -> None:
    """The file that the row names is the original; of the others the catalogue's order, or the alphabet's, decides."""
    if draft.rows and len(draft.copies) > 1:
        own = (draft.rows[0].path, draft.name.folder)
        draft.copies.sort(key=lambda copy: (copy.file.path != own[0], copy.name.folder != own[1]))
