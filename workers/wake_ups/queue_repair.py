"""Removing what no consumer can read from our own queues: wake-ups carry nothing, so that a queue's key is worth nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workers.wake_ups.app import queue_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celery import Celery

    from db.enums import Stage

#: Items of one queue that are looked at; it holds some dozens.
MOST_ITEMS = 1_000


def repair_queues(app: Celery, stages: Sequence[Stage]) -> list[str]:
    """Delete those keys of the stages' queues that hold something else than messages; returns their names.

    Only Redis and Valkey have such keys. Nothing but `paragone.<stage>` and kombu's bindings of it is touched: the rest of the server may
    belong to others. Raises whatever kombu's transport does.
    """
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
        channel = connection.default_channel
        if not hasattr(channel, "conn_or_acquire"):
            return []
        with channel.conn_or_acquire() as client:
            broken = [key for stage in stages for key in _keys(channel, stage) if _is_broken(client, key)]
            if broken:
                client.delete(*broken)
    return broken


def _keys(channel: Any, stage: Stage) -> list[str]:
    name = queue_name(stage)
    # Kombu keeps each priority in a list of its own.
    return [channel.keyprefix_queue % name, *(channel._q_for_pri(name, priority) for priority in channel.priority_steps)]  # noqa: SLF001


def _is_broken(client: Any, key: str) -> bool:
    kind = client.type(key)
    if kind == b"none":
        return False
    if not key.startswith("paragone."):
        return bool(kind != b"set")
    return kind != b"list" or not all(map(_is_message, client.lrange(key, 0, MOST_ITEMS)))


def _is_message(item: bytes) -> bool:
    """Whether kombu's consumer survives it."""
    try:
        found = json.loads(item)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("properties"), dict) and "delivery_tag" in found["properties"]
