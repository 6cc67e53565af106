"""Settings of the test libraries, and the servers that all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# Read when torch is first imported: two threads on a busy machine made a tiny UNet seventy times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples at every run: whether a change passes must not be luck. HYPOTHESIS_PROFILE=default searches for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are no name: compressed or random ones gave a test another name at every run, and long ones filled the screen."""
    return argname if isinstance(val, bytes) else None


pytest_plugins = [
    "tests.services.certificates",
    "tests.services.database_proxy",
    "tests.services.databases",
    "tests.services.encrypted",
    "tests.services.postgresql",
    "tests.services.s3",
    "tests.services.shared",
    "tests.services.valkey",
]
