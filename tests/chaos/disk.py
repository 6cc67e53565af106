"""The disk that the store lies on: a small file system of its own where this user may mount one, so that it can be full or read-only."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes of the file system.
SIZE = 192 << 20
#: Tries to make it read-only: it is refused while a file is open for writing.
TRIES = 200


class Disk:
    """The directory `root`; `is_own` tells whether it is a file system of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.is_own = _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},nr_inodes=200k", "tmpfs", str(root))

    def make_read_only(self) -> bool:
        """True once nothing can be written."""
        for _ in range(TRIES):
            if _run("mount", "-o", "remount,ro", str(self.root)):
                return True
            time.sleep(0.005)
        return False

    def make_writable(self) -> None:
        """As it was."""
        _run("mount", "-o", "remount,rw", str(self.root))

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.root / "ballast").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError:
                pass
            try:
                while True:
                    file.write(bytes(1 << 12))
            except OSError:
                return

    def empty(self) -> None:
        """Free what `fill` took."""
        (self.root / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it."""
        if self.is_own:
            _run("umount", "-l", str(self.root))
        shutil.rmtree(self.root, ignore_errors=True)


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
