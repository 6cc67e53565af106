"""The demo: the whole path on sample artworks, by the same commands that anybody would type."""

from __future__ import annotations

from producer.demo.path import Demo, run_demo

__all__ = ["Demo", "run_demo"]
