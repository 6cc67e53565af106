"""A broker or a database whose certificate does not fit: the command ends at its start with one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.encrypted import encrypted_postgresql, postgresql_tls_url

if TYPE_CHECKING:
    from tests.acceptance.installation import Installation
    from tests.services.certificates import Authority
    from tests.services.postgresql import PostgresServer

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow(reason="runs the installed command")]


@pytest.mark.parametrize("command", ["work", "flower"])
def test_a_broker_that_cannot_be_trusted_is_told_at_once(
    installation: Installation, command: str, tls_broker_url: str, foreign_authority: Authority
) -> None:
    settings = {"PARAGONE_BROKER_URL": tls_broker_url, "PARAGONE_BROKER_CA": str(foreign_authority.file)}

    done = installation.on(installation.directory, **settings).run(command)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("paragone: the broker at rediss://:**@localhost:")
    assert line.endswith("an authority that this host does not know: name the right one's file in PARAGONE_BROKER_CA")


def test_a_database_that_cannot_be_trusted_is_not_waited_for(
    installation: Installation, postgres_server: PostgresServer, authority: Authority, foreign_authority: Authority
) -> None:
    with encrypted_postgresql(postgres_server, authority) as proxy:
        url = postgresql_tls_url(proxy.port, "postgres", authority_file=foreign_authority.file)
        done = installation.on(installation.directory, PARAGONE_DATABASE_URL=url).run("work")

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("paragone: the database cannot be trusted (")
    assert line.endswith("by sslrootcert=FILE in PARAGONE_DATABASE_URL, or renew it if it has expired")


def test_jobs_are_planned_although_nobody_is_woken_through_a_broker_that_cannot_be_trusted(
    installation: Installation, tls_broker_url: str
) -> None:
    installation.plan(1)

    done = installation.on(installation.directory, PARAGONE_BROKER_URL=tls_broker_url, COLUMNS="400").run(
        "requeue", "--done", "--stage", "caption"
    )
    planned = installation.on(installation.directory, PARAGONE_BROKER_URL=tls_broker_url, COLUMNS="400").run(
        "enqueue", "--campaign", "another", "--models", "pocket"
    )

    assert (done.returncode, planned.returncode) == (0, 0), planned.stderr
    assert "cannot be trusted" in planned.stderr
