"""All checks of `paragone health` at once, each within a time limit."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from db.errors import ParagoneError
from db.store import Store
from producer.health.check import HealthReport, failed, merged, report_of, warned
from producer.health.database import DATABASE, check_database
from producer.health.models import MODELS, check_models
from producer.health.nvidia import GPU, ask_nvidia_smi, check_gpus
from producer.health.progress import PROGRESS, WORKERS, check_own_workers, check_progress
from producer.health.services import BROKER, STORE, check_broker, check_store
from workers.broker import resolve_broker
from workers.patient_call import begin_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.monitoring.health import HealthFacts
    from db.runtime import Runtime
    from producer.health.check import HealthCheck

#: Seconds within which a check answers, unless more is allowed.
TIMEOUT_SECONDS = 2.0


def read_health(
    runtime: Runtime, *, quick: bool = False, own_workers: bool = False, timeout_seconds: float = TIMEOUT_SECONDS
) -> HealthReport:
    """Look at everything at the same time; nothing is made, migrated or started, and nothing is raised for what is broken.

    Args:
        runtime: where to look.
        quick: the database and the broker only.
        own_workers: also whether a worker of this host is alive.
        timeout_seconds: for all of it: what has not answered by then is told as such.
    """
    _import_drivers(runtime, quick=quick)
    deadline = time.monotonic() + timeout_seconds
    facts: Future[HealthFacts | None] = Future()
    checks = _checks(runtime, facts, deadline, timeout_seconds)
    wanted = [DATABASE, BROKER] if quick else [DATABASE, BROKER, STORE, MODELS, GPU, PROGRESS]
    wanted += [WORKERS] if own_workers else []
    begun = {name: begin_call(checks[name]) for name in wanted}
    return report_of(_outcome(name, begun[name], deadline, timeout_seconds) for name in wanted)


def _import_drivers(runtime: Runtime, *, quick: bool) -> None:
    """What is imported when it is first used would use up the time of the checks; what is wrong with it, they tell."""
    with suppress(ParagoneError, ImportError):
        if runtime.settings.sqlalchemy_url.get_backend_name() == "postgresql":
            import_module("db.engine.postgresql")
    if not quick:
        with suppress(ParagoneError):
            Store(runtime.settings.store_location, store_id=str)


def _checks(
    runtime: Runtime, facts: Future[HealthFacts | None], deadline: float, timeout_seconds: float
) -> dict[str, Callable[[], HealthCheck]]:
    settings = runtime.settings

    def database() -> HealthCheck:
        found = None
        try:
            outcome, found = check_database(runtime, timeout_seconds)
            return outcome
        finally:
            facts.set_result(found)

    def with_facts(name: str, check: Callable[[HealthFacts], HealthCheck]) -> Callable[[], HealthCheck]:
        def run() -> HealthCheck:
            known = facts.result(timeout=max(0.0, deadline - time.monotonic()))
            return warned(name, "not checked: the database cannot be asked") if known is None else check(known)

        return run

    def models(known: HealthFacts) -> HealthCheck:
        found = check_models(known.models, settings, os.environ, timeout_seconds=timeout_seconds)
        return merged(MODELS, found, otherwise=f"{len(found)} needed, all within reach" if found else "none needed now")

    return {
        DATABASE: database,
        BROKER: lambda: check_broker(runtime, resolve_broker(settings)),
        STORE: with_facts(STORE, lambda known: check_store(runtime, known.store_id)),
        MODELS: with_facts(MODELS, models),
        GPU: lambda: check_gpus(settings.gpus, os.environ, ask_nvidia_smi(timeout_seconds)),
        PROGRESS: with_facts(PROGRESS, lambda known: check_progress(known, settings)),
        WORKERS: with_facts(WORKERS, lambda known: check_own_workers(known, settings)),
    }


def _outcome(name: str, call: Future[HealthCheck], deadline: float, timeout_seconds: float) -> HealthCheck:
    try:
        return call.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        # A GPU that is only slow, as without persistence mode, still works.
        report = warned if name == GPU else failed
        return report(name, f"no answer within {timeout_seconds:g} s", "allow more with --timeout if it is only slow")
    except ParagoneError as error:
        return failed(name, " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001  # its text may hold a secret, and whatever is broken is one line
        return failed(name, f"cannot be checked: {type(error).__name__}")
