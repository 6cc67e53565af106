"""Paragone's packages have common names: all must lie side by side, or another package shadows one of ours.

Knows the standard library only, and runs before any of the four is imported: what shadows them must not be run.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

#: What lies beside `paragone` in every installation.
PACKAGES = ("db", "workers", "producer", "trainer")


class ShadowedPackage(ImportError):
    """Another package has the name of one of Paragone's and is found first.

    No `ParagoneError`, because that root lies in one of the packages that may be shadowed.
    """


def check_packages() -> None:
    """Raise `ShadowedPackage` with one clear line if `db`, `workers`, `producer` or `trainer` is not Paragone's own."""
    expected = Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        found = _location(name)
        if found is None:
            raise ShadowedPackage(f"Paragone's package `{name}` is missing from {expected}: install Paragone again", name=name)
        if found != expected:
            raise ShadowedPackage(_line(name, found, expected), name=name, path=str(found))


def typed_as_command() -> bool:
    """Whether this process is the command `paragone` or `python -m paragone`, which end with one line and no traceback."""
    # "-m" stands there while `python -m` looks its module up.
    return sys.argv[:1] == ["-m"] or Path(*sys.argv[:1]).stem == "paragone"


def _location(name: str) -> Path | None:
    """The folder in which the import system finds the package, or has found it already; None if it finds none."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module that somebody put together in memory
        return Path(f"<{name} in memory>")
    if spec is None:
        return None
    if spec.submodule_search_locations is not None:
        # A folder without __init__.py has no origin: the places where its parts lie are all there is.
        folders = list(spec.submodule_search_locations)
        return Path(folders[0]).resolve().parent if folders else None
    return Path(spec.origin or f"<{name}>").resolve().parent


def _line(name: str, found: Path, expected: Path) -> str:
    shadows = f"package named `{name}` shadows Paragone's: found in {found}, expected in {expected}"
    if found == Path.cwd():
        return f"another {shadows}: work in another directory"
    return f"another installed {shadows}: use an environment without it"
