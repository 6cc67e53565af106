"""`python -m workers`: one worker process on one device. The supervisor starts it; people use `paragone work`.

Imports next to nothing at first: a signal during the second that the rest takes must be heard.
"""

from __future__ import annotations

import logging
import os
import signal
import sys

from workers.supervision.exit_codes import ExitCode


def main() -> None:
    """Run one worker, then end without waiting for any library's threads."""
    signal.signal(signal.SIGTERM, _nothing_begun)
    from workers.supervision.child import run

    end_process(run())


def end_process(code: int) -> None:
    """End now: threads that hang in a broker or a database, and handlers that wait for them, must not keep the process."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _nothing_begun(*_: object) -> None:
    os._exit(ExitCode.STOPPED)


if __name__ == "__main__":
    main()
