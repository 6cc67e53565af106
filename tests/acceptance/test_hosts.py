"""Hosts of different kinds: by stage, drained, and about to be taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.tables import attempts, jobs, leases, workers
from producer.draining import drain_host
from tests.acceptance.installation import FAST_RECOVERY, until
from tests.acceptance.queries import assert_complete, rows, states

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow(reason="runs the installed command")]


def test_hosts_serve_their_stages_and_a_drained_one_ends_and_stays_away(installation: Installation) -> None:
    # Given a host that repaints, and one without a GPU for the rest
    with_gpu = installation.on(installation.directory, **FAST_RECOVERY, PARAGONE_HOST="with-gpu")
    without = installation.on(installation.directory, **FAST_RECOVERY, PARAGONE_HOST="without-gpu")
    installation.plan(16, batch=2, repaint={"seconds_per_batch": 2.0})
    with without.working("--stages", "caption,prompt,recaption") as helper:
        with with_gpu.working("--stages", "generate") as fleet:
            until(lambda: states(installation, "generate")["done"] >= 1, what=f"it repaints: {fleet.output}{helper.output}")

            # When it is drained
            assert drain_host(installation.runtime, "with-gpu").workers == 1  # at once: the command's start takes seconds on a busy machine

            # Then it finishes what it holds, claims nothing more, and ends by itself
            assert fleet.wait() == 0, fleet.output
        assert "the host with-gpu is drained (`paragone drain with-gpu --undo` takes that back)" in fleet.output
        assert helper.process.poll() is None
        assert not rows(installation, leases)
        assert {row["outcome"] for row in rows(installation, attempts)} == {"done"}
        assert states(installation, "generate")["ready"], "it was drained in the middle"
        hosts = {host["host"]: host for host in installation.json_of("status")["hosts"]}
        assert {name: host["state"] for name, host in hosts.items()} == {"with-gpu": "drained", "without-gpu": "working"}
        assert abs(hosts["without-gpu"]["clock_offset"]) < 5

        # And says so when it is started again
        again = with_gpu.run("work", "--gpus", "none")
        assert again.returncode == 0
        assert again.stderr == (
            "paragone: the host with-gpu is drained (`paragone drain with-gpu --undo` takes that back): nothing is started\n"
        )
        unknown = installation.run("drain", "with-gpv")
        assert (unknown.returncode, unknown.stderr) == (
            1,
            "paragone: no worker of a host 'with-gpv' was ever seen: the hosts are with-gpu, without-gpu\n",
        )

        # When that is taken back, then the campaign is completed, each stage where it belongs
        installation.output_of("drain", "with-gpu", "--undo")
        with with_gpu.working("--stages", "generate", "--until-idle") as fleet:
            assert fleet.wait() == 0, fleet.output
        until(lambda: states(installation).keys() == {"done"}, what="all is done")
        assert helper.stop() == 0
    assert_complete(installation, repaints=16)
    stage = {row["id"]: row["stage"] for row in rows(installation, jobs)}
    host = {row["id"]: row["host"] for row in rows(installation, workers)}
    assert {(stage[row["job_id"]], host[row["worker_id"]]) for row in rows(installation, attempts)} == {
        ("caption", "without-gpu"),
        ("prompt", "without-gpu"),
        ("generate", "with-gpu"),
        ("recaption", "without-gpu"),
    }


def test_a_host_that_is_about_to_be_taken_away_gives_back_what_it_holds(installation: Installation, tmp_path: Path) -> None:
    # Given batches that outlast the grace, leases that outlast the test, and equal names of hosts
    host = installation.on(
        installation.directory,
        **FAST_RECOVERY | {"PARAGONE_LEASE_SECONDS": "3600"},
        PARAGONE_HOST="spot",
        PARAGONE_NOTICE_COMMAND=f"cat {tmp_path / 'notice'} 2>/dev/null",
        PARAGONE_NOTICE_SECONDS="0.2",
        PARAGONE_GRACE_SECONDS="1",
    )
    host.plan(4, repaint={"seconds_per_batch": 120.0})
    with (
        host.working() as fleet,
        host.on(host.directory, PARAGONE_NOTICE_COMMAND="/no/such/command").working("--stages", "prompt") as other,
    ):
        until(lambda: rows(host, leases, leases.c.started_at.is_not(None)) and states(host)["done"] >= 8, what="a repaint is on the device")
        assert {row["host"] for row in rows(host, workers)} == {"spot"}

        # When notice comes
        (tmp_path / "notice").write_text("terminate at 12:00")

        # Then it ends well within its grace, and nothing of its is held or suspect
        assert fleet.wait() == 0, fleet.output
        assert fleet.output.count("notice: this host is about to be taken away") == 1
        assert not rows(host, leases)
        assert states(host, "generate") == {"ready": 4}
        assert not rows(host, jobs, jobs.c.suspect)

        # And a command that cannot be run is told once and disturbs nobody
        assert other.process.poll() is None
        assert other.output.count("PARAGONE_NOTICE_COMMAND cannot be run") == 1
        assert other.stop() == 0, other.output
