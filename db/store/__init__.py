"""The image store and the collection of its orphans."""

from __future__ import annotations

from db.store.store import Blob, Store

__all__ = ["Blob", "Store"]
