"""The image files under a folder, found by the path or the name that a results file gives."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from producer.readers.catalogue import CatalogueFile
from producer.readers.files import find_files
from producer.results_import.errors import ResultsUnreadable
from producer.results_import.image_names import bare_stem, path_parts

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFile:
    """A file, or the reason why there is none."""

    file: CatalogueFile | None = None
    reason: str = ""


class RepaintFiles:
    """Every image below one folder. Nothing outside it is ever opened, whatever a row names."""

    def __init__(self, root: Path) -> None:
        """Lists the folder; raises `ResultsUnreadable` if it is none."""
        if not root.is_dir():
            raise ResultsUnreadable(f"the folder of repaints {root} is not there: check --repaints")
        self._root = root
        self._paths: dict[str, CatalogueFile] = {}
        self._names: defaultdict[str, list[CatalogueFile]] = defaultdict(list)
        self._bare: defaultdict[str, list[CatalogueFile]] = defaultdict(list)
        for file in find_files(root, also=()):
            if isinstance(file, CatalogueFile):
                self._paths[file.path] = file
                self._names[file.path.rsplit("/", 1)[-1]].append(file)
                self._bare[bare_stem(file.path)].append(file)

    def find(self, named: str) -> FoundFile:
        """The file of that path, or of its end: data sets are moved, and name the folders of another machine."""
        parts = path_parts(named)
        for start in range(len(parts)):
            if (file := self._paths.get("/".join(parts[start:]))) is not None:
                return FoundFile(file=file)
        return self._only(self._names.get(parts[-1], []) if parts else [], named)

    def of_original(self, named: str) -> FoundFile:
        """The file that is called like the original but for marks such as `_generated`."""
        return self._only(self._bare.get(bare_stem(named), []), named)

    def _only(self, found: list[CatalogueFile], named: str) -> FoundFile:
        if len(found) == 1:
            return FoundFile(file=found[0])
        if not found:
            return FoundFile(reason=f"there is no {named} under {self._root}")
        some = ", ".join(file.path for file in found[:3])
        return FoundFile(reason=f"{len(found)} files may be {named}: {some}")
