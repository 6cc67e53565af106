"""PostgreSQL by TLS: what its URL says about certificates reaches libpq, and what does not fit is told with its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from db.engine import connect
from db.engine.schema import check_schema
from db.engine.wait import wait_until_available
from db.errors import DatabaseNotTrusted
from tests.services.encrypted import encrypted_postgresql, postgresql_tls_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.certificates import Authority
    from tests.services.postgresql import PostgresServer

pytestmark = pytest.mark.usefixtures("no_home")


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """libpq finds nothing of the machine's own user."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGSSLROOTCERT", "")


@pytest.fixture
def tls_port(postgres_server: PostgresServer, authority: Authority) -> Iterator[int]:
    """The port of a PostgreSQL whose certificate is for localhost."""
    with encrypted_postgresql(postgres_server, authority, "localhost") as proxy:
        yield proxy.port


def _ask(url: str) -> None:
    database = connect(url, timeout_seconds=5)
    try:
        with database.read() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
            driver: Any = connection.connection.driver_connection
            assert driver.pgconn.ssl_in_use
    finally:
        database.dispose()


def test_a_database_whose_certificate_fits_is_used_encrypted(tls_port: int, authority: Authority) -> None:
    _ask(postgresql_tls_url(tls_port, "postgres", authority_file=authority.file))


def test_what_does_not_fit_is_told_with_its_mend(tls_port: int, authority: Authority, foreign_authority: Authority, tmp_path: Path) -> None:
    def url(file: Path | None, **differently: str) -> str:
        return postgresql_tls_url(tls_port, "postgres", authority_file=file, **differently)

    for written, mend in (
        (url(foreign_authority.file), "name the file of the authority that signed it"),
        (url(authority.file, host="127.0.0.1"), "write the host in PARAGONE_DATABASE_URL"),
        (url(None), "name the file of the authority that signed the server's"),
        (url(tmp_path / "none"), "name the file of the authority that signed the server's"),
        (url(None, sslmode="disable"), "the server wants encryption"),
        (url(None, sslmode="verify"), "write disable, require, verify-ca or, best, verify-full"),
    ):
        with pytest.raises(DatabaseNotTrusted, match="the database cannot be trusted") as told:
            _ask(written)
        assert mend in str(told.value)
        assert "\n" not in str(told.value)


def test_a_start_does_not_wait_for_a_database_that_cannot_be_trusted(tls_port: int, foreign_authority: Authority) -> None:
    database = connect(postgresql_tls_url(tls_port, "postgres", authority_file=foreign_authority.file), timeout_seconds=5)

    with pytest.raises(DatabaseNotTrusted):
        wait_until_available(lambda: check_schema(database))
    database.dispose()
