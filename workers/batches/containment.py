"""Exits raised by foreign code: `sys.exit` in a backend must end the job that it is about, not the worker's thread."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from workers.backends.errors import BackendExit

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def contained(what: str = "the backend") -> Iterator[None]:
    """Turn `SystemExit`, `KeyboardInterrupt` and whatever else is no `Exception` into `BackendExit`; `what` is who raised it.

    Raises:
        BackendExit: the block tried to end the process.
    """
    try:
        yield
    except Exception:
        raise
    except SystemExit as error:
        code = 0 if error.code is None else error.code
        raise BackendExit(f"{what} called sys.exit({code!r})") from error
    except BaseException as error:
        text = " ".join(str(error).split())
        raise BackendExit(f"{what} raised {type(error).__name__}{f': {text}' if text else ''}") from error
