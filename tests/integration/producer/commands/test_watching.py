from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from db.errors import DatabaseUnavailable
from producer.commands import status
from producer.status import read_status
from tests.builders import harness_of

if TYPE_CHECKING:
    import pytest

    from db.monitoring.progress import Progress
    from tests.integration.producer.commands.conftest import Operator


def test_a_database_that_is_briefly_unavailable_does_not_end_the_watch(sqlite_operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    harness_of(sqlite_operator.database, 3)
    calls: list[int] = []

    def read(*arguments: object) -> Progress:
        calls.append(1)
        if len(calls) == 2:
            raise DatabaseUnavailable("the database does not answer (server closed the connection)")
        if len(calls) == 4:
            raise KeyboardInterrupt
        return read_status(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(status, "read_status", read)
    monkeypatch.setattr(status, "REFRESH_SECONDS", 0.0)
    shown = sqlite_operator.output_of("status --watch")
    assert len(calls) == 4
    assert "campaign trial" in shown
    assert "does not answer" not in shown.splitlines()[-1]


def test_ctrl_c_ends_the_watch_with_exit_code_0(sqlite_operator: Operator) -> None:
    harness_of(sqlite_operator.database, 3)
    settings = sqlite_operator.runtime.settings
    url = sqlite_operator.database.engine.url.render_as_string()
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from producer.cli import main; main()"
    watch = subprocess.Popen(
        # A shell's background job starts with SIGINT ignored; this one must not.
        [sys.executable, "-c", start, "status", "--watch"],
        # On a terminal each view is printed at once: so the test knows when it is watching.
        env={"PARAGONE_DATABASE_URL": url, "PARAGONE_DATA_DIR": str(settings.data_dir), "FORCE_COLOR": "1", "TERM": "xterm"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watch.stdout is not None
    while "trial" not in (line := watch.stdout.readline()):
        assert line, "the watch ended by itself"
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=30)
    assert watch.returncode == 0
