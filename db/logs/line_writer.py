"""Whole lines on standard error, from any thread, and a stand-in for `sys.stderr` that makes lines of JSON of what is printed there."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import threading
from typing import IO, TextIO

from db.logs.json_lines import JsonFormatter, is_json_line, text_as_json


class LineWriter:
    """Writes lines whole; where nobody reads them any more they are dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # A signal's handler may log in the middle of a line of the same thread.
        self._lock = threading.RLock()

    def write(self, line: str) -> None:
        """Write one line."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    def fileno(self) -> int:
        """The file under it, for `faulthandler` and for processes that inherit it."""
        return self._stream.fileno()

    def copy(self, pipe: IO[bytes], **fields: object) -> None:
        """Pass on what another process writes until it ends, in JSON whatever it is; `fields` are for lines that are not JSON yet."""
        with pipe:
            for raw in pipe:
                text = raw.decode(errors="replace").rstrip()
                if text:
                    self.write(text if is_json_line(text) else text_as_json(text, **fields))


class JsonLineHandler(logging.Handler):
    """A logging handler that writes JSON lines."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        self._writer.write(self.format(record))


class PrintedLines(io.TextIOBase):
    """Text that is printed on it, by libraries with handlers of their own, comes out as JSON lines."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self.writer = writer
        self._begun = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Take text; a line comes out once it has ended."""
        if not isinstance(text, str):
            raise TypeError("text is wanted")
        with self._lock:
            # Progress bars go back to the start of their line.
            *ended, self._begun = re.split(r"[\r\n]", self._begun + text)
        for line in ended:
            if line.strip():
                self.writer.write(text_as_json(line.rstrip()))
        return len(text)

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def fileno(self) -> int:
        """The real standard error."""
        return self.writer.fileno()
