"""What all tests may ask for."""

from __future__ import annotations

import os

# Read when torch is first imported: two threads on a busy machine made a tiny UNet seventy times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = [
    "tests.services.databases",
    "tests.services.postgresql",
    "tests.services.shared",
    "tests.services.valkey",
]
