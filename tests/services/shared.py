"""The data that lies beside the checkout on some machines: a real catalogue's rows and 128 real images."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Path:
    """The folder `../shared/data`; a test that asks for it is skipped where there is none."""
    path = Path(pytestconfig.rootpath).parent / "shared/data"
    if not path.is_dir():
        pytest.skip(f"no {path} on this machine")
    return path
