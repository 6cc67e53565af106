"""The test servers behind TLS, with certificates of the session's authority for `localhost` and 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sqlalchemy import URL

from tests.services.tls_proxy import TlsProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.services.certificates import Authority
    from tests.services.postgresql import PostgresServer

#: Names in the servers' certificates.
NAMES = ("localhost", "127.0.0.1")


@contextlib.contextmanager
def encrypted_valkey(plain_url: str, authority: Authority, *names: str, expires: datetime | None = None) -> Iterator[TlsProxy]:
    """TLS in front of a Valkey while the block runs; the certificate is for `names`."""
    port = urlsplit(plain_url).port
    proxy = TlsProxy(lambda: asyncio.open_connection("127.0.0.1", port), authority.server_context(*(names or NAMES), expires=expires))
    with proxy.running():
        yield proxy


@contextlib.contextmanager
def encrypted_postgresql(server: PostgresServer, authority: Authority, *names: str) -> Iterator[TlsProxy]:
    """TLS in front of a PostgreSQL while the block runs; the certificate is for `names`."""
    socket = server.directory / ".s.PGSQL.5432"
    context = authority.server_context(*(names or NAMES))
    proxy = TlsProxy(lambda: asyncio.open_unix_connection(socket), context, postgresql=True)
    with proxy.running():
        yield proxy


def postgresql_tls_url(
    port: int, database: str, *, authority_file: Path | None, sslmode: str = "verify-full", host: str = "localhost"
) -> str:
    """The URL of a database behind TLS."""
    query = {"sslmode": sslmode, "gssencmode": "disable"} | ({"sslrootcert": str(authority_file)} if authority_file else {})
    url = URL.create("postgresql+psycopg", username="paragone", host=host, port=port, database=database, query=query)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def tls_broker_url(broker_url: str, authority: Authority) -> Iterator[str]:
    """The URL of an empty Valkey that is spoken to by TLS; who trusts `authority` may use it."""
    with encrypted_valkey(broker_url, authority) as proxy:
        yield f"rediss://localhost:{proxy.port}/0"
