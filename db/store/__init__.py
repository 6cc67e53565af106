"""The image store, its identity, and the collection of its orphans."""

from __future__ import annotations

from db.store.location import display_location
from db.store.store import Blob, Store

__all__ = ["Blob", "Store", "display_location"]
