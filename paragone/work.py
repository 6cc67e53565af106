"""Workers for a notebook: `paragone work` in a process of its own, so that whoever waits for it loads no model."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from db.secret_files import without_url_secrets
from paragone.errors import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from db.enums import Stage
    from db.settings import Settings

#: Characters of the log's last line that an error quotes.
_QUOTED = 500


def run_workers(settings: Settings, *, gpus: str, stages: Sequence[Stage], until_idle: bool) -> None:
    """Run workers until they end, or until an interrupt, which stops them as SIGTERM does; raises `WorkFailed`."""
    # -P keeps the working directory off the module path.
    command = [sys.executable, "-P", "-m", "paragone", "work"]
    command += ["--gpus", gpus] if gpus else []
    command += ["--stages", ",".join(stages)] if stages else []
    command += ["--until-idle"] if until_idle else []
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log = settings.data_dir / "workers.log"
    with log.open("ab") as file:
        begun = file.tell()
        supervisor = subprocess.Popen(command, env=_environment(settings), stdout=file, stderr=file)  # noqa: S603  # our own command
        try:
            code = supervisor.wait()
        finally:
            if supervisor.poll() is None:
                supervisor.terminate()
                supervisor.wait()
    if code:
        raise WorkFailed(f"the workers ended with exit code {code}: {_last_line(log, begun)} ({log})")


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with the places that the project was opened with."""
    return without_url_secrets(os.environ) | {
        "PARAGONE_DATA_DIR": str(settings.data_dir),
        "PARAGONE_DATABASE_URL": settings.database_url.get_secret_value(),
        "PARAGONE_BROKER_URL": settings.broker_url.get_secret_value(),
        "PARAGONE_STORE_URL": settings.store_url,
    }


def _last_line(log: Path, begun: int) -> str:
    with log.open("rb") as file:
        file.seek(begun)
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip()[-_QUOTED:] for line in reversed(lines) if line.strip()), "they said nothing").removeprefix("paragone: ")
