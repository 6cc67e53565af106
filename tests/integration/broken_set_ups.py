"""Set-ups that newcomers have, each broken in one way, with what `paragone doctor` must say of it."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import redis
from sqlalchemy import text

from db.campaigns import open_campaign
from db.campaigns.configuration import CampaignConfig
from db.engine import connect
from db.jobs.plan import Selection, plan_campaign
from db.monitoring.worker_registry import register_worker
from db.runtime import Runtime
from db.settings import Settings
from db.store import Store
from tests.builders import artworks_of
from tests.services.fake_hub import running_hub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.services.postgresql import PostgresServer
    from tests.services.valkey import ValkeyServer

#: In every URL of these set-ups; printed nowhere.
SECRET = "hunter2"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """A machine that is about to be broken."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    request: pytest.FixtureRequest
    environment: dict[str, str | None] = field(default_factory=dict)
    #: Ends with the examination, while the servers still run.
    during: ExitStack = field(default_factory=ExitStack)

    def set(self, **variables: str) -> None:
        self.environment.update(variables)

    def nvidia_smi(self, script: str) -> None:
        """A program of that name, first on the path."""
        program = self.folder / "bin/nvidia-smi"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self.monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def torch(self, version: str, cuda: str | None) -> None:
        """Another torch before the installed one, which nobody imports."""
        package = self.folder / "packages/torch"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise AssertionError('imported')")
        (package / "version.py").write_text(f"__version__ = '{version}'\ndebug = False\ncuda: Optional[str] = {cuda!r}\n")
        self.monkeypatch.syspath_prepend(package.parent)
        self.monkeypatch.delitem(sys.modules, "torch", raising=False)

    def initialised(self, **settings: Any) -> Runtime:
        """What `paragone init` makes."""
        runtime = Runtime(Settings.model_validate({"data_dir": self.folder / "data", **settings}))
        runtime.initialise()
        return runtime

    def campaign(self, runtime: Runtime, directory: str, caption: str = "local:captioner") -> None:
        """One that waits for its models."""
        artworks_of(runtime.database, 1)
        sections = {
            "caption": {"backend": "blip2", "model": caption},
            "level": {"moderate": {"backend": "sdxl", "model": "local:refiner", "strength": 0.4}},
            "models_directory": directory,
        }
        plan_campaign(runtime.database, open_campaign(runtime.database, "real", CampaignConfig.model_validate(sections)), Selection())
        runtime.close()

    def postgresql(self, *, tables: bool = True) -> str:
        """The URL of a database of its own."""
        server: PostgresServer = self.request.getfixturevalue("postgres_server")
        name = server.create(template=self.request.getfixturevalue("postgres_template") if tables else "template1")
        self.set(PARAGONE_DATABASE_URL=server.url(name))
        return server.url(name)

    def valkey(self, **config: str) -> ValkeyServer:
        """A server of its own with these settings."""
        server: ValkeyServer = self.request.getfixturevalue("own_valkey")
        with redis.Redis.from_url(server.url) as client:
            for name, value in config.items():
                client.config_set(name.replace("_", "-"), value)
        self.set(PARAGONE_BROKER_URL=server.url)
        return server


ONE_GPU = "echo '0, GPU-1111, NVIDIA H200, {driver}'"


def gpu_but_torch_for_the_cpu(on: SetUp) -> None:
    on.nvidia_smi(ONE_GPU.format(driver="570.86.10"))
    on.torch("2.13.0+cpu", None)


def driver_older_than_cuda(on: SetUp) -> None:
    on.nvidia_smi(ONE_GPU.format(driver="470.82.01"))
    on.torch("2.13.0", "12.8")


def driver_and_its_module_differ(on: SetUp) -> None:
    on.nvidia_smi("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")


def gpus_hidden(on: SetUp) -> None:
    on.nvidia_smi(ONE_GPU.format(driver="570.86.10"))
    on.torch("2.13.0", "12.8")
    on.set(CUDA_VISIBLE_DEVICES="")


def more_gpus_named_than_there_are(on: SetUp) -> None:
    on.nvidia_smi(ONE_GPU.format(driver="570.86.10"))
    on.torch("2.13.0", "12.8")
    on.set(PARAGONE_GPUS="0,1")


def gpu_named_without_a_driver(on: SetUp) -> None:
    on.monkeypatch.setattr("producer.health.nvidia.shutil", SimpleNamespace(which=lambda _: None))
    on.set(PARAGONE_GPUS="0")


def library_too_old(on: SetUp) -> None:
    info = on.folder / "old/celery-4.4.7.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: celery\nVersion: 4.4.7\n")
    on.monkeypatch.syspath_prepend(info.parent)


def data_directory_not_writable(on: SetUp) -> None:
    on.set(PARAGONE_DATA_DIR="/proc/paragone")


def data_directory_is_a_file(on: SetUp) -> None:
    (on.folder / "data").write_text("")


def store_below_a_file(on: SetUp) -> None:
    (on.folder / "file").write_text("")
    on.set(PARAGONE_STORE_URL=str(on.folder / "file/store"))


def password_not_escaped(on: SetUp) -> None:
    on.set(PARAGONE_DATABASE_URL=f"postgresql://me:{SECRET}@x@host/art")


def database_of_another_make(on: SetUp) -> None:
    on.set(PARAGONE_DATABASE_URL=f"mysql://me:{SECRET}@host/art")


def driver_of_the_database_missing(on: SetUp) -> None:
    on.set(PARAGONE_DATABASE_URL=f"postgresql+asyncpg://me:{SECRET}@host/art")


def broker_url_of_a_web_page(on: SetUp) -> None:
    on.set(PARAGONE_BROKER_URL=f"http://me:{SECRET}@host:6379")


def package_of_the_store_missing(on: SetUp) -> None:
    on.set(PARAGONE_STORE_URL="gs://bucket/store")


def database_away(on: SetUp) -> None:
    on.set(PARAGONE_DATABASE_URL=f"postgresql://me:{SECRET}@127.0.0.1:1/art")


def broker_away(on: SetUp) -> None:
    on.set(PARAGONE_BROKER_URL=f"redis://:{SECRET}@127.0.0.1:1/0")


def broker_frozen(on: SetUp) -> None:
    server = on.valkey()
    on.monkeypatch.setattr("producer.doctor.diagnosis.CHECK_SECONDS", 2.0)
    on.during.enter_context(server.frozen())


def broker_full(on: SetUp) -> None:
    on.valkey(maxmemory="1mb", maxmemory_policy="noeviction")


def broker_evicts(on: SetUp) -> None:
    on.valkey(maxmemory="512mb", maxmemory_policy="allkeys-lru")


def database_not_initialised(on: SetUp) -> None:
    on.postgresql(tables=False)


def database_of_a_newer_version(on: SetUp) -> None:
    database = connect(on.postgresql())
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2099_01_01'"))
        connection.execute(text("UPDATE schema_compatibility SET oldest_code = '2099_01_01'"))
    database.dispose()


def database_user_without_rights(on: SetUp) -> None:
    url = on.postgresql(tables=False)
    database = connect(url)
    with database.engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS guest"))
        connection.execute(text("CREATE ROLE guest LOGIN"))
    database.dispose()
    on.set(PARAGONE_DATABASE_URL=url.replace("paragone@", "guest@"))


def more_workers_than_connections(on: SetUp) -> None:
    database = connect(on.postgresql())
    for number in range(70):
        facts: dict[str, Any] = {"host": f"host{number}", "pid": 1, "device": "cuda", "stages": [], "threads": 3, "versions": {}}
        register_worker(database, worker_id=f"gpu0-{number}@host{number}", **facts)
    database.dispose()


def database_file_that_is_none(on: SetUp) -> None:
    (on.folder / "notes.sqlite").write_text("this is no database, it is a text of more than a hundred bytes" * 20)
    on.set(PARAGONE_DATABASE_URL=f"sqlite:///{on.folder / 'notes.sqlite'}")


def store_of_another_database(on: SetUp) -> None:
    on.initialised().close()
    (on.folder / "data/store").rename(on.folder / "moved")
    Store.create(str(on.folder / "data/store"))


def store_not_mounted(on: SetUp) -> None:
    on.initialised().close()
    (on.folder / "data/store").rename(on.folder / "unmounted")


def model_folder_without_weights(on: SetUp) -> None:
    (on.folder / "models/captioner").mkdir(parents=True)
    (on.folder / "models/captioner/config.json").write_text("{}")
    on.campaign(on.initialised(), str(on.folder / "models"))


def model_that_git_lfs_left_out(on: SetUp) -> None:
    model_folder_without_weights(on)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n"
    (on.folder / "models/captioner/model.safetensors").write_text(pointer)


def gated_model_without_a_token(on: SetUp) -> None:
    on.set(HF_ENDPOINT=on.during.enter_context(running_hub()))
    on.campaign(on.initialised(), "pocket", "gated/captioner")


def model_missing_and_offline(on: SetUp) -> None:
    on.set(HF_HUB_OFFLINE="1")
    on.campaign(on.initialised(), "pocket", "known/captioner")


def models_without_their_file(on: SetUp) -> None:
    (on.folder / "models").mkdir()
    on.set(PARAGONE_MODELS=str(on.folder / "models"))


def settings_that_contradict_each_other(on: SetUp) -> None:
    on.set(PARAGONE_LEASE_SECONDS="5")


def setting_misspelt(on: SetUp) -> None:
    on.set(PARAGONE_TREADS="3")


def store_shared_but_not_the_database(on: SetUp) -> None:
    on.set(PARAGONE_STORE_URL="memory://art")


def flower_open_without_a_password(on: SetUp) -> None:
    on.set(PARAGONE_FLOWER_ADDRESS="0.0.0.0")  # noqa: S104


#: What is done to the set-up; what must be said about it, and what must be advised.
BROKEN: list[tuple[Callable[[SetUp], None], str, str]] = [
    (gpu_but_torch_for_the_cpu, "torch 2.13.0+cpu is a build for the CPU, but this host has 1 GPU", "--index-url"),
    (driver_older_than_cuda, "driver 470.82.01 is too old for torch 2.13.0: CUDA 12.8 needs 525", "update the driver"),
    (driver_and_its_module_differ, "nvidia-smi does not work: Failed to initialize NVML", "reboot"),
    (gpus_hidden, "CUDA_VISIBLE_DEVICES='' hides every GPU", "unset CUDA_VISIBLE_DEVICES"),
    (more_gpus_named_than_there_are, "PARAGONE_GPUS names GPU 1, but this host has 0", "change PARAGONE_GPUS"),
    (gpu_named_without_a_driver, "there is no nvidia-smi on this host", "NVIDIA container toolkit"),
    (library_too_old, "celery 4.4.7 is installed, but Paragone needs celery>=5.6", "pip install --upgrade"),
    (data_directory_not_writable, "/proc cannot be written", "PARAGONE_DATA_DIR"),
    (data_directory_is_a_file, "is a file: name a folder", "correct the variable"),
    (store_below_a_file, "file is a file", "PARAGONE_STORE_URL"),
    (password_not_escaped, "must be percent-encoded (@ as %40", ""),
    (database_of_another_make, "names 'mysql': use PostgreSQL or SQLite", ""),
    (driver_of_the_database_missing, "asks for a driver that is not installed", ""),
    (broker_url_of_a_web_page, "begins with http://, which is no broker", ""),
    (package_of_the_store_missing, "'gs://bucket/store' cannot be opened", "install the package"),
    (database_away, "the database does not answer", ""),
    (broker_away, "redis://:***@127.0.0.1:1/0 does not answer", "check PARAGONE_BROKER_URL"),
    (broker_frozen, "no answer within 2 s", ""),
    (broker_full, "it is full and refuses wake-ups", "raise maxmemory"),
    (broker_evicts, "it may evict the queues", "noeviction"),
    (database_not_initialised, "has no tables of Paragone yet", "paragone init"),
    (database_of_a_newer_version, "at schema 2099_01_01, which is newer than this program", "upgrade Paragone"),
    (database_user_without_rights, "may not create tables", "GRANT CREATE ON SCHEMA"),
    (more_workers_than_connections, "70 worker processes of 3 connections each need 210, the server allows 197", "PgBouncer"),
    (database_file_that_is_none, "notes.sqlite is not a database", ""),
    (store_of_another_database, "belongs to another database", ""),
    (store_not_mounted, "is not there: is the disk mounted?", ""),
    (model_folder_without_weights, "has no *.safetensors", "copy the whole model again"),
    (model_that_git_lfs_left_out, "is a Git LFS pointer", "git lfs pull"),
    (gated_model_without_a_token, "gated/captioner is gated, private or unknown, and there is no HF_TOKEN", "accept its licence"),
    (model_missing_and_offline, "HF_HUB_OFFLINE forbids to fetch it", "unset HF_HUB_OFFLINE"),
    (models_without_their_file, "models.json cannot be read", "a folder with a models.json"),
    (settings_that_contradict_each_other, "PARAGONE_LEASE_SECONDS (5) must be at least 3 times PARAGONE_HEARTBEAT_SECONDS", ""),
    (setting_misspelt, "PARAGONE_TREADS is no setting", "did you mean PARAGONE_THREADS?"),
    (store_shared_but_not_the_database, "the store is memory://art: other hosts cannot share the work", "PARAGONE_DATABASE_URL"),
    (flower_open_without_a_password, "opens Flower to others", "set PARAGONE_FLOWER_PASSWORD"),
]
#: Those that work, but not as somebody may have meant it: they are no failure.
WARNINGS = {gpus_hidden, broker_evicts, setting_misspelt, store_shared_but_not_the_database, flower_open_without_a_password}
