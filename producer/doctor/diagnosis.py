"""The examination: every check in turn, whatever the others found; what is broken is a line, never a traceback."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from db.engine.schema import current_revision
from db.errors import ParagoneError
from db.runtime import Runtime
from producer.doctor.configured import check_contradictions, check_hosts, check_urls, check_variables, in_container, no_fault
from producer.doctor.directories import UsedDirectory, check_directory
from producer.doctor.packages import check_packages, check_python
from producer.doctor.servers import check_broker_memory, check_fleet, check_revision, check_server
from producer.doctor.torch_build import check_torch, installed_torch
from producer.environment import read_settings
from producer.health.check import CheckState, HealthCheck, HealthReport, failed, report_of
from producer.health.database import DATABASE, check_database, missing_file, opened
from producer.health.hub import cache_directory
from producer.health.models import MODELS, check_models
from producer.health.nvidia import GPU, ask_nvidia_smi, check_gpus
from producer.health.progress import PROGRESS, check_progress
from producer.health.services import BROKER, STORE, check_broker, check_store
from workers.broker import resolve_broker
from workers.patient_call import call_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from db.monitoring.health import HealthFacts
    from db.settings import Settings
    from producer.health.nvidia import NvidiaAnswer

#: Seconds that one check may take.
CHECK_SECONDS = 10.0


def diagnose(environment: Mapping[str, str] | None = None) -> HealthReport:
    """Look at everything that this process can see; nothing is made or migrated, and nothing is raised."""
    examination = _Examination(environment=os.environ if environment is None else environment)
    examination.run()
    return report_of(examination.checks)


@dataclass(kw_only=True)
class _Examination:
    """The checks so far, and what later ones need of earlier ones."""

    environment: Mapping[str, str]
    checks: list[HealthCheck] = field(default_factory=list)

    def run(self) -> None:
        self._look("python", lambda: [check_python()])
        self._look("packages", check_packages)
        nvidia = self._gpus()
        settings = self._settings()
        self._look("settings", lambda: check_variables(self.environment))
        if settings is None:
            return
        self._look("gpu", lambda: [check_gpus(settings.gpus, self.environment, nvidia)] if nvidia else [])
        self._look("directories", lambda: map(check_directory, _directories(settings, self.environment)))
        self._look("settings", lambda: check_contradictions(settings, self.environment))
        usable = self._look("urls", lambda: no_fault(self._url_faults(settings), "urls", "all three can be read"))
        if usable:
            self._services(Runtime(settings), devices=max(1, len(nvidia.gpus) if nvidia else 0))

    def _gpus(self) -> NvidiaAnswer | None:
        try:
            answer = ask_nvidia_smi(CHECK_SECONDS)
        except Exception as error:  # noqa: BLE001  # whatever is broken is one line
            self.checks.append(_crashed(GPU, error))
            return None
        self._look("torch", lambda: [check_torch(installed_torch(), answer)])
        return answer

    def _settings(self) -> Settings | None:
        try:
            return read_settings()
        except ParagoneError as error:
            self.checks.append(failed("settings", _line(error), "correct the variable; the checks that need it were left out"))
        except Exception as error:  # noqa: BLE001  # the same
            self.checks.append(_crashed("settings", error))
        return None

    def _url_faults(self, settings: Settings) -> list[HealthCheck]:
        return check_urls(settings) + check_hosts(settings, self.environment, container=in_container(self.environment))

    def _services(self, runtime: Runtime, *, devices: int) -> None:
        settings = runtime.settings
        answered = self._look(BROKER, lambda: [check_broker(runtime, resolve_broker(settings))])
        if answered and (url := settings.broker_url.get_secret_value()):
            self._look(BROKER, lambda: check_broker_memory(url))
        facts = self._database(runtime, devices=devices)
        if facts is None:
            return
        self._look(STORE, lambda: [check_store(runtime, facts.store_id, writable=True)])
        self._look(MODELS, lambda: check_models(facts.models, settings, self.environment, timeout_seconds=CHECK_SECONDS / 2))
        self._look(PROGRESS, lambda: [check_progress(facts, settings)])

    def _database(self, runtime: Runtime, *, devices: int) -> HealthFacts | None:
        settings = runtime.settings
        found: list[HealthFacts] = []

        def look() -> list[HealthCheck]:
            if absent := missing_file(runtime):
                return [absent]
            with opened(runtime, CHECK_SECONDS / 2) as database:
                current_revision(database)  # a file that is no database ends here, with its cause
                checks, server = check_server(database, connections=settings.database_connections, devices=devices)
                schema = check_revision(database, server, embedded=runtime.embedded_database)
                checks.append(schema)
            state, facts = check_database(runtime, CHECK_SECONDS / 2)
            if facts is not None:
                found.append(facts)
                fleet = check_fleet(facts, server, connections=settings.database_connections)
                checks += [] if fleet is None else [fleet]
            # What is wrong with the tables has been said.
            return [state, *checks] if schema.state is CheckState.OK else checks

        self._look(DATABASE, look)
        return found[0] if found else None

    def _look(self, name: str, check: Callable[[], Iterable[HealthCheck]]) -> bool:
        """Take in what a check finds; whether nothing failed."""
        try:
            found = call_within(CHECK_SECONDS, lambda: list(check()))
        except TimeoutError as error:
            found = [failed(name, str(error), "see what it waits for: a host that does not answer, a disk that hangs")]
        except ParagoneError as error:
            found = [failed(name, _line(error))]
        except Exception as error:  # noqa: BLE001  # whatever is broken is one line
            found = [_crashed(name, error)]
        self.checks += found
        return all(one.state is not CheckState.FAIL for one in found)


def _directories(settings: Settings, environment: Mapping[str, str]) -> list[UsedDirectory]:
    embedded = not settings.database_url.get_secret_value()
    found = [UsedDirectory(name="data", path=settings.data_dir, variable="PARAGONE_DATA_DIR", holds_sqlite=embedded)]
    store = settings.store_location.removeprefix("file://")
    if "://" not in store:
        found.append(UsedDirectory(name="store", path=Path(store), variable="PARAGONE_STORE_URL"))
    found.append(UsedDirectory(name="temporary", path=Path(tempfile.gettempdir()), variable="TMPDIR"))
    if installed_torch() is not None:
        found.append(UsedDirectory(name="model cache", path=cache_directory(environment), variable="HF_HOME"))
    return found


def _crashed(name: str, error: Exception) -> HealthCheck:
    # Not its text, which may hold a password.
    return failed(name, f"cannot be checked: {type(error).__name__}", "this is a mistake in Paragone: please report it")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
