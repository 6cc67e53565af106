"""Where the embedded broker's socket lies: in its directory, or in a short private folder where that cannot be."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import stat
from pathlib import Path

from workers.broker.errors import BrokerUnavailable

#: A socket's path may have 107 bytes on Linux and 103 on macOS.
LONGEST = 100
#: Kombu and Flower read the path out of a URL, each with its own idea of what is quoted: only what needs no quotes.
PLAIN = re.compile(r"[A-Za-z0-9/._~+-]+")


def socket_path(directory: Path) -> Path:
    """The socket of the broker in `directory`: the same for every process of this machine, whatever its environment.

    Raises `BrokerUnavailable` if the private folder is somebody else's.
    """
    path = directory / "broker.sock"
    if len(os.fsencode(path)) <= LONGEST and PLAIN.fullmatch(str(path)) and _holds_sockets(directory):
        return path
    # Not XDG_RUNTIME_DIR: a login shell has it and a cron job has not, and both must find one broker.
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return _private_folder(Path("/tmp") / f"paragone-{name}") / "broker.sock"  # noqa: S108 - owner and mode are checked


def _holds_sockets(directory: Path) -> bool:
    """Whether the file system under `directory` knows sockets; some network and desktop mounts do not."""
    probe = directory / f".{os.getpid():x}.sock"
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(probe))
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True


def _private_folder(folder: Path) -> Path:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise BrokerUnavailable(f"{folder} is not a private folder of this user: remove it, or choose a shorter PARAGONE_DATA_DIR")
    return folder
