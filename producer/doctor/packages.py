"""Python, and the versions of the libraries that are installed against those that Paragone asks for."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from producer.health.check import failed, passed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from producer.health.check import HealthCheck

PYTHON, PACKAGES = "python", "packages"
#: Extras whose packages may be missing, but if they are there must fit.
EXTRAS = ("local", "gpu", "train", "s3", "tracing", "web")


def check_python(running: tuple[int, int, int] | None = None) -> HealthCheck:
    """Whether this Python is new enough."""
    shown = ".".join(map(str, running or sys.version_info[:3]))
    wanted = metadata("paragone")["Requires-Python"] or ""
    if SpecifierSet(wanted).contains(shown, prereleases=True):
        return passed(PYTHON, f"{shown} at {sys.executable}")
    return failed(PYTHON, f"{shown} is not supported: Paragone needs {wanted}", "make a virtual environment with a newer Python")


def check_packages(
    requirements: Sequence[str] | None = None, installed_version: Callable[[str], str | None] | None = None
) -> list[HealthCheck]:
    """A check for each library that is missing or of a version that Paragone does not work with; one that is ok if there is none."""
    look = installed_version or _installed
    written = (requires("paragone") or []) if requirements is None else requirements
    faults = [fault for one in written for fault in _faults(Requirement(one), look)]
    return faults or [passed(PACKAGES, f"paragone {_installed('paragone')}, and every library in a version that it works with")]


def _faults(one: Requirement, look: Callable[[str], str | None]) -> Iterator[HealthCheck]:
    basic = one.marker is None or one.marker.evaluate({"extra": ""})
    extra = None if basic else next((name for name in EXTRAS if one.marker and one.marker.evaluate({"extra": name})), None)
    if not basic and extra is None:
        return
    found = look(one.name)
    if found is None:
        if basic:
            yield failed(PACKAGES, f"{one.name} is not installed", f"pip install '{one.name}{one.specifier}'")
    elif not one.specifier.contains(found, prereleases=True):
        whose = f"paragone[{extra}]" if extra else "Paragone"
        fix = f"pip install --upgrade '{one.name}{one.specifier}'"
        yield failed(PACKAGES, f"{one.name} {found} is installed, but {whose} needs {one.name}{one.specifier}", fix)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
