"""Hosts that share nothing but the addresses of three services, each of which is spoken to by TLS."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from db.tables import jobs, leases, workers
from tests.acceptance.installation import FAST_RECOVERY, Installation
from tests.acceptance.queries import rows
from tests.services.encrypted import encrypted_postgresql, encrypted_valkey, postgresql_tls_url
from tests.services.s3 import ANY_KEY
from tests.services.tls_proxy import TlsProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.installation import RunningFleet
    from tests.services.certificates import Authority
    from tests.services.postgresql import PostgresServer
    from tests.services.s3 import S3Server

#: What a command finds of the machine's own environment.
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, kw_only=True)
class Host(Installation):
    """A host with a home, a working directory and an environment of its own."""

    name: str

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the machine's own but where programs lie."""
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {"HOME": str(self.working_directory), "PARAGONE_DATA_DIR": str(self.directory), "PARAGONE_HOST": self.name}
        return kept | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | own | self.settings

    def enqueue(self, campaign: str, file: Path) -> None:
        """Plan a campaign, in this process."""
        self._call("enqueue", "--campaign", campaign, "--config", file)

    def worker_ids(self, fleet: RunningFleet) -> set[str]:
        """The workers of a fleet of this host, as the database knows them."""
        pids = [process.pid for process in fleet.workers()]
        return {row["id"] for row in rows(self, workers, workers.c.pid.in_(pids))}

    def on_device(self, worker_ids: set[str]) -> set[int]:
        """The generate jobs that these workers have on their devices."""
        held = rows(self, leases, leases.c.worker_id.in_(worker_ids), leases.c.started_at.is_not(None))
        tokens = [row["token"] for row in held]
        found = rows(self, jobs, jobs.c.lease_token.in_(tokens), jobs.c.stage == "generate", jobs.c.state == "running")
        return {row["id"] for row in found}


@dataclass(frozen=True, kw_only=True)
class Services:
    """A database, a broker and a bucket, as one host reaches them."""

    database_url: str
    broker_url: str
    store_url: str
    s3: dict[str, str]
    authority_file: Path
    links: tuple[TlsProxy, ...]

    def host(self, name: str, folder: Path, **credentials: str) -> Host:
        """A host whose commands run in a new folder."""
        folder.mkdir(parents=True)
        urls = {
            "PARAGONE_DATABASE_URL": self.database_url,
            "PARAGONE_BROKER_URL": self.broker_url,
            "PARAGONE_STORE_URL": self.store_url,
            "PARAGONE_BROKER_CA": str(self.authority_file),
        }
        settings = FAST_RECOVERY | urls | self.s3 | (credentials or ANY_KEY.environment)
        return Host(name=name, directory=folder / "data", working_directory=folder, settings=settings)

    @contextlib.contextmanager
    def cut_off(self) -> Iterator[None]:
        """While the block runs none of the three is reached, and nobody is told."""
        with contextlib.ExitStack() as stack:
            for link in self.links:
                stack.enter_context(link.partitioned())
            yield


@contextlib.contextmanager
def services(
    authority: Authority, *, postgres: PostgresServer, database: str, valkey_url: str, s3_server: S3Server, bucket: str
) -> Iterator[Services]:
    """The three services behind connections of one's own."""
    port = urlsplit(s3_server.url).port
    with (
        encrypted_postgresql(postgres, authority) as to_database,
        encrypted_valkey(valkey_url, authority) as to_broker,
        TlsProxy(lambda: asyncio.open_connection("127.0.0.1", port), None).running() as to_store,
    ):
        yield Services(
            database_url=postgresql_tls_url(to_database.port, database, authority_file=authority.file),
            broker_url=f"rediss://localhost:{to_broker.port}/0",
            store_url=f"s3://{bucket}/paragone",
            s3=s3_server.environment | {"AWS_ENDPOINT_URL": f"https://localhost:{to_store.port}"},
            authority_file=authority.file,
            links=(to_database, to_broker, to_store),
        )
