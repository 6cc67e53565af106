"""Three hosts with S3, PostgreSQL and Valkey over TLS in common, and nothing else: one joins, one is drained, one dies, one is cut off."""

from __future__ import annotations

from functools import partial
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING

import fsspec
import pytest
import redis

from db.tables import attempts
from tests.acceptance.campaign_file import fake_campaign
from tests.acceptance.installation import until
from tests.acceptance.queries import assert_complete, rows, states
from tests.acceptance.remote_hosts import Host, Services, services
from tests.acceptance.sample_images import write_images
from tests.services.s3 import ANY_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.acceptance.installation import RunningFleet
    from tests.services.certificates import Authority
    from tests.services.postgresql import PostgresServer
    from tests.services.s3 import S3Server

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow(reason="three hosts run the installed command")]

ARTWORKS = 12


@pytest.fixture
def reach(  # noqa: PLR0917  # fixtures
    authority: Authority,
    postgres_server: PostgresServer,
    broker_url: str,
    s3_server: S3Server,
    s3_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Callable[[], AbstractContextManager[Services]]]:
    """Opens connections to one new set of services; this process may look at the store, too."""
    database = postgres_server.create()
    for name, value in (s3_server.environment | ANY_KEY.environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield partial(
        services, authority, postgres=postgres_server, database=database, valkey_url=broker_url, s3_server=s3_server, bucket=s3_bucket
    )
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    postgres_server.drop(database)


def test_a_campaign_is_completed_while_hosts_join_are_drained_and_die(
    reach: Callable[[], AbstractContextManager[Services]], broker_url: str, tmp_path: Path
) -> None:
    with reach() as common:
        # Given three hosts that have the rights by a key, a profile and a role
        first = common.host("first", tmp_path / "first")
        second = common.host("second", tmp_path / "second", AWS_PROFILE="lab")
        _write_profile(tmp_path / "second")
        token = tmp_path / "token"
        token.write_text("token")
        role = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/painter", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
        third = common.host("third", tmp_path / "third", **role)

        # When two are at work
        first.output_of("init")
        write_images(tmp_path / "originals", ARTWORKS)
        first.output_of("ingest", tmp_path / "originals")
        _enqueue(first, "one", tmp_path)
        with first.working() as dies, second.working() as drained:
            until(lambda: states(first, "generate")["done"] >= 2, what="they are in the middle")
            # And a third one joins, and more is to be done
            with third.working() as joins:
                everybody = [
                    until(partial(host.worker_ids, fleet), what=f"{host.name} works")
                    for host, fleet in ((first, dies), (second, drained), (third, joins))
                ]
                _enqueue(third, "two", tmp_path, seconds_per_batch=3.0)
                # And one dies with a batch on its device, and one is drained
                held = until(lambda: _caught(first, dies, everybody[0]), what="the first has a batch on its device")
                dies.kill()
                assert _drain(second, drained) == 0, drained.output
                # Then the third finishes everything
                until(lambda: states(third).keys() == {"done"}, what="everything is done")
                assert joins.stop() == 0, joins.output

        assert_complete(third, repaints=2 * 2 * ARTWORKS)
        assert _done_by(third, everybody[2]), "who joined did nothing"
        lost = rows(third, attempts, attempts.c.outcome == "lost")
        assert {row["worker_id"] for row in lost} <= everybody[0], "a living worker lost jobs"
        assert {row["job_id"] for row in lost} >= held
        for host, fleet in ((first, dies), (second, drained), (third, joins)):
            assert "Traceback" not in fleet.output
            assert not (host.directory / "store").exists()
            assert not (host.directory / "paragone.sqlite").exists()
        with redis.Redis.from_url(broker_url) as broker:
            assert broker.exists("_kombu.binding.paragone.generate"), "nobody spoke to the broker"
        for host in (first, second, third):
            host.close()


def test_a_host_that_is_cut_off_for_longer_than_a_lease_does_nothing_twice(
    reach: Callable[[], AbstractContextManager[Services]], tmp_path: Path
) -> None:
    with reach() as here, reach() as there:
        first = here.host("first", tmp_path / "first", **ANY_KEY.environment | {"PARAGONE_DATABASE_TIMEOUT_SECONDS": "3"})
        second = there.host("second", tmp_path / "second")
        second.output_of("init")
        write_images(tmp_path / "originals", ARTWORKS)
        second.output_of("ingest", tmp_path / "originals")
        _enqueue(second, "one", tmp_path, seconds_per_batch=3.0)
        with first.working() as cut, second.working() as other:
            mine = until(lambda: second.worker_ids(cut), what="the first works")
            # Given a host with a batch on its device that reaches nothing any more
            until(lambda: second.on_device(mine), what="it has a batch on its device")
            with here.cut_off():
                held = second.on_device(mine)
                assert held, "it was faster"
                # When another takes its jobs over
                until(lambda: _lost(second, mine) & held, what="its jobs were taken over")
            # Then it comes back, works on, and nothing is there twice
            before = len(_done_by(second, mine))
            _enqueue(second, "two", tmp_path)
            until(lambda: len(_done_by(second, mine)) > before, what="it works again")
            until(lambda: states(second).keys() == {"done"}, what="everything is done")
            assert (cut.stop(), other.stop()) == (0, 0), cut.output + other.output
        assert_complete(second, repaints=2 * 2 * ARTWORKS)
        assert "Traceback" not in cut.output + other.output
        for host in (first, second):
            host.close()


def _enqueue(host: Host, name: str, folder: Path, *, seconds_per_batch: float = 1.0) -> None:
    """In this process: on a busy machine the start of another one takes longer than all the work that is left."""
    file = fake_campaign(folder / f"{name}.toml", batch=2, levels=2, repaint={"seconds_per_batch": seconds_per_batch})
    host.enqueue(name, file)


def _write_profile(home: Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[lab]\naws_access_key_id = lab\naws_secret_access_key = secret\n")


def _done_by(host: Host, worker_ids: set[str]) -> set[int]:
    return {row["job_id"] for row in rows(host, attempts, attempts.c.worker_id.in_(worker_ids), attempts.c.outcome == "done")}


def _lost(host: Host, worker_ids: set[str]) -> set[int]:
    return {row["job_id"] for row in rows(host, attempts, attempts.c.worker_id.in_(worker_ids), attempts.c.outcome == "lost")}


def _caught(host: Host, fleet: RunningFleet, worker_ids: set[str]) -> set[int]:
    """Stop the fleet in the middle of a batch: the batch on its device then cannot finish before it is killed."""
    if not host.on_device(worker_ids):
        return set()
    fleet.freeze()
    held = host.on_device(worker_ids)
    if not held:
        fleet.thaw()
    return held


def _drain(host: Host, fleet: RunningFleet) -> int:
    """Have a host end its work; returns the exit code of its `paragone work`."""
    if any(find_spec(point.module) for point in entry_points(group="paragone.commands", name="drain")):
        host.output_of("drain", host.name)
        ids = host.worker_ids(fleet)
        until(lambda: not host.on_device(ids), what="what was on its device is finished")
    return fleet.stop()
