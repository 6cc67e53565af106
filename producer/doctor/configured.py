"""What the settings say: URLs that cannot work, variables that mean nothing, settings that contradict each other."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from db.engine import connect
from db.errors import PersistenceError
from db.settings import Settings
from db.store import Store, display_location
from producer.health.check import failed, passed, warned
from producer.local_models import read_models_file
from workers.broker import BadBrokerUrl, BrokerUnavailable, resolve_broker
from workers.broker.program import server_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from producer.health.check import HealthCheck

SETTINGS, URLS, MODELS = "settings", "urls", "models"
#: Variables of Paragone that are no settings of a process, and endings that other ways to give a setting have.
OTHER_VARIABLES = frozenset({"PARAGONE_LOG"})
OTHER_ENDINGS = ("_FILE",)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
#: Where each variable of a URL may name this host, and what is to be written instead in a container.
_URLS = {"PARAGONE_DATABASE_URL": "postgres", "PARAGONE_BROKER_URL": "valkey", "AWS_ENDPOINT_URL": "the store's host"}


def check_variables(environment: Mapping[str, str]) -> list[HealthCheck]:
    """Variables that begin with PARAGONE_ and are no setting: mostly a slip of the hand."""
    known = {f"PARAGONE_{name.upper()}" for name in Settings.model_fields}
    found = []
    for name in sorted(environment):
        plain = next((name.removesuffix(ending) for ending in OTHER_ENDINGS if name.endswith(ending)), name)
        if not name.startswith("PARAGONE_") or {name, plain} & (known | OTHER_VARIABLES):
            continue
        near = get_close_matches(name, known, n=1)
        found.append(warned(SETTINGS, f"{name} is no setting and is ignored", f"did you mean {near[0]}?" if near else "unset it"))
    return found


def check_urls(settings: Settings) -> list[HealthCheck]:
    """Those of the three URLs that cannot work, whoever answers there."""
    found: list[HealthCheck] = []
    try:
        url = settings.sqlalchemy_url
        if url.get_backend_name() != "sqlite":  # its folder would be made
            connect(url).dispose()
    except PersistenceError as error:
        found.append(failed(URLS, str(error)))
    try:
        resolve_broker(settings)
        if not settings.broker_url.get_secret_value():
            server_program()
    except (BadBrokerUrl, BrokerUnavailable) as error:
        found.append(failed(URLS, str(error)))
    location = settings.store_location
    try:
        Store(location, store_id=str)
    except PersistenceError as error:
        extra = "pip install 'paragone[s3]'" if location.startswith("s3") else "install the package that fsspec names"
        found.append(failed(URLS, str(error), f"{extra}, or correct PARAGONE_STORE_URL"))
    return found


def check_hosts(settings: Settings, environment: Mapping[str, str], *, container: bool) -> list[HealthCheck]:
    """URLs that mean this container where another one was meant."""
    if not container:
        return []
    written = {
        "PARAGONE_DATABASE_URL": settings.database_url.get_secret_value(),
        "PARAGONE_BROKER_URL": settings.broker_url.get_secret_value(),
        "AWS_ENDPOINT_URL": environment.get("AWS_ENDPOINT_URL", ""),
    }
    return [
        warned(
            URLS,
            f"{variable} names {host}, which is this container itself (unless it shares the host's network)",
            f"write the name of the service ({_URLS[variable]}), or host.docker.internal for this machine",
        )
        for variable, url in written.items()
        if (host := _host(url)) in _LOOPBACK
    ]


def in_container(environment: Mapping[str, str], root: Path = Path("/")) -> bool:
    """Whether this process runs in a container, as far as it can tell."""
    files = (root / ".dockerenv", root / "run/.containerenv")
    return "KUBERNETES_SERVICE_HOST" in environment or any(file.exists() for file in files)


def check_contradictions(settings: Settings, environment: Mapping[str, str]) -> list[HealthCheck]:
    """Settings each of which is right, but not beside the others."""
    return [*_shared(settings), *_of_one_host(settings, environment)]


def _shared(settings: Settings) -> Iterator[HealthCheck]:
    database, broker = settings.database_url.get_secret_value(), settings.broker_url.get_secret_value()
    elsewhere = "://" in settings.store_location and not settings.store_location.startswith(("file:", "local:"))
    if (not database or database.startswith("sqlite")) and (elsewhere or broker):
        what = f"the store is {display_location(settings.store_location)}" if elsewhere else "the broker is a server"
        text = f"the database is an SQLite file of this host, but {what}: other hosts cannot share the work"
        yield warned(SETTINGS, text, "set PARAGONE_DATABASE_URL to PostgreSQL, unless this is the only host")
    if database.startswith("postgres") and not broker:
        text = "the database is PostgreSQL, but the broker is embedded: workers of other hosts are not woken, and Flower does not show them"
        yield warned(SETTINGS, text, "set PARAGONE_BROKER_URL, unless this is the only host")


def _of_one_host(settings: Settings, environment: Mapping[str, str]) -> Iterator[HealthCheck]:
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if settings.gpus and visible is not None and settings.gpus.replace(" ", "") != visible.replace(" ", ""):
        text = f"PARAGONE_GPUS={settings.gpus} and CUDA_VISIBLE_DEVICES={visible} differ: PARAGONE_GPUS is taken"
        yield warned(SETTINGS, text, "unset one of them")
    if settings.flower_address not in _LOOPBACK and not settings.flower_password.get_secret_value():
        text = f"PARAGONE_FLOWER_ADDRESS={settings.flower_address} opens Flower to others under a password that is new at every start"
        yield warned(SETTINGS, text, "set PARAGONE_FLOWER_PASSWORD")
    if settings.models is not None:
        try:
            read_models_file(settings.models)
        except PersistenceError as error:
            yield failed(MODELS, f"PARAGONE_MODELS: {str(error).removeprefix('--models: ')}", "set it to a folder with a models.json")


def no_fault(faults: list[HealthCheck], name: str, text: str) -> list[HealthCheck]:
    """The faults, or that there are none."""
    return faults or [passed(name, text)]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
