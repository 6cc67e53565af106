"""The marker of a store: a small file in its root with the id that the database knows."""

from __future__ import annotations

import json


def marker_bytes(store_id: str) -> bytes:
    """The marker's content."""
    return json.dumps({"store": store_id}).encode() + b"\n"


def marked_id(data: bytes) -> str | None:
    """The id in a marker; None if it is broken."""
    try:
        content = json.loads(data)
    except ValueError:
        return None
    found = content.get("store") if isinstance(content, dict) else None
    return found if isinstance(found, str) and found else None
