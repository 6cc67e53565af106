"""The demo: the whole pipeline on sample artworks, by the same commands that anybody would type."""

from __future__ import annotations

from producer.demo.run import DemoOptions, run_demo

__all__ = ["DemoOptions", "run_demo"]
