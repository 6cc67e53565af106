"""What a worker process's exit code tells its supervisor. Imports nothing heavy: it is needed before anything else is loaded."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `python -m workers`; argparse ends with 2."""

    #: Nothing can be expected any more (--until-idle), or Celery's remote command `shutdown` asked it to end.
    DONE = 0
    #: An error; also what faulthandler ends a process with that exceeded its time limit.
    FAILED = 1
    #: All that is left waits for a model that is unavailable here: starting it again would change nothing.
    MODEL_TROUBLE = 3
    #: A signal asked it to stop. Only its supervisor knows whether it was meant to stay away.
    STOPPED = 4
    #: It was asked to stop, and the batch on the device outlasted the grace period.
    GAVE_UP = 5
    #: The database was migrated beyond what this program can work with: only another program changes that.
    TOO_OLD = 6
