from __future__ import annotations

import sys

import pytest

from workers.backends.errors import BackendExit, TransientFailure
from workers.batches.containment import contained


def exits(code: object) -> None:
    sys.exit(code)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "the backend called sys.exit(1)"),
        (None, "the backend called sys.exit(0)"),
        ("no licence", "the backend called sys.exit('no licence')"),
    ],
)
def test_an_exit_becomes_an_error_that_tells_it(code: object, text: str) -> None:
    with pytest.raises(BackendExit) as caught, contained():
        exits(code)

    assert str(caught.value) == text


class Unheard(BaseException):
    """Neither an error nor an exit."""


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (KeyboardInterrupt(), "the stage caption raised KeyboardInterrupt"),
        (Unheard("one\n two"), "the stage caption raised Unheard: one two"),
    ],
)
def test_whatever_is_no_error_becomes_one(raised: BaseException, text: str) -> None:
    with pytest.raises(BackendExit) as caught, contained("the stage caption"):
        raise raised

    assert str(caught.value) == text


def test_errors_pass_as_they_are() -> None:
    error = TransientFailure("503")

    with pytest.raises(TransientFailure) as caught, contained():
        raise error

    assert caught.value is error
