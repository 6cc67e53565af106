"""Control files: what the conductor asks of the hooks in a worker process (`tests/chaos/hooks`), and whether it came about.

A one-time order is a file that the first process that obeys takes away; a lasting one holds for as long as it lies there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The directory of the control files."""

    directory: Path

    def ask(self, name: str, host: str, value: str = "") -> None:
        """Ask the processes of a host for something."""
        path = self._path(name, host)
        scratch = path.with_suffix(".new")
        scratch.write_text(value)
        scratch.replace(path)

    def was_taken(self, name: str, host: str) -> bool:
        """Whether a process obeyed a one-time order."""
        return not self._path(name, host).exists()

    def withdraw(self, name: str, host: str) -> bool:
        """Ask no more; True if it was still there."""
        try:
            self._path(name, host).unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, name: str, host: str) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        return self.directory / f"{name}.{host}"
