"""What a worker process tells its supervisor beside its exit code, through a pipe: lines that are read when it has ended."""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass

#: Characters of an error that are told.
LONGEST_ERROR = 400
#: Bytes that are read at once; a pipe holds 64 KiB.
READ_BYTES = 65_536


class ChildReport:
    """The worker's end of the pipe. Any thread may tell; nothing is told where there is no supervisor."""

    def __init__(self, file: int | None = None) -> None:
        """`file` is a descriptor that the process inherited."""
        self._file = file
        if file is not None:
            os.set_inheritable(file, False)  # what the worker starts must not hold it
            os.set_blocking(file, False)  # a supervisor that is suspended must not hold up its workers

    def began(self) -> None:
        """A batch was claimed."""
        self._tell("began")

    def finished(self) -> None:
        """The process ends now because it is done, or was asked to stay away: an exit code of 0 alone says neither."""
        self._tell("finished")

    def deadline(self, moment: float) -> None:
        """The process ends itself at this moment of `time.monotonic()`, which all processes of a host share; infinity for never."""
        self._tell(f"deadline {moment}")

    def error(self, text: str) -> None:
        """Why the process is about to fail."""
        self._tell(f"error {' '.join(text.split())[:LONGEST_ERROR]}")

    def _tell(self, line: str) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.write(self._file, f"{line}\n".encode())


@dataclass(kw_only=True)
class ReportReader:
    """The supervisor's end of the pipe, and what came through it."""

    #: None before there is a process.
    file: int | None = None
    began: bool = False
    finished: bool = False
    deadline: float = math.inf
    error: str = ""
    _rest: bytes = b""

    @classmethod
    def pipe(cls) -> tuple[ReportReader, int]:
        """A reader, and the descriptor for its worker."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        return cls(file=reading), writing

    def read(self) -> None:
        """Take in what was told so far; does not wait."""
        if self.file is None:
            return
        with contextlib.suppress(BlockingIOError):
            while told := os.read(self.file, READ_BYTES):
                *lines, self._rest = (self._rest + told).split(b"\n")
                for line in lines:
                    self._note(*line.decode(errors="replace").partition(" ")[::2])

    def close(self) -> None:
        """Take in the rest and close the pipe."""
        self.read()
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def _note(self, word: str, text: str) -> None:
        match word:
            case "began":
                self.began = True
            case "finished":
                self.finished = True
            case "error":
                self.error = text
            case "deadline":
                with contextlib.suppress(ValueError):
                    self.deadline = float(text)
