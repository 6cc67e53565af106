"""The command `paragone`, also as `python -m paragone`."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command; `paragone work` hears a signal from its first moment on."""
    if _is_work(sys.argv[1:]):
        # The imports take a second. Until the supervisor has begun, its own handler in place, there is nothing to finish.
        signal.signal(signal.SIGTERM, _nothing_begun)
    from producer.cli import main as command

    command()


def _is_work(arguments: list[str]) -> bool:
    """Whether this is the command that is stopped by a signal."""
    return next((argument for argument in arguments if not argument.startswith("-")), None) == "work"


def _nothing_begun(*_: object) -> None:
    os._exit(0)


if __name__ == "__main__":
    main()
