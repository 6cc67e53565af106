from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))
