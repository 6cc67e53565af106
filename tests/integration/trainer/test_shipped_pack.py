"""The pocket models that ship, and the same with fresh weights: what the former can do the latter cannot, so these checks can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.models_directory import pocket_directory
from trainer.pocket.paintings import paint
from trainer.pocket.reading import Reading
from trainer.pocket.recipe import SMOKE
from trainer.pocket.training import Workshop, write_untrained

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.pocket.paintings import Paintings
    from trainer.pocket.table import Row

pytestmark = pytest.mark.timeout(300)

#: A seed that no recipe's paintings come from.
_SEED = 77


@pytest.fixture(scope="module")
def paintings(tmp_path_factory: pytest.TempPathFactory) -> Paintings:
    return paint(tmp_path_factory.mktemp("strange"), count=100, seed=_SEED)


def test_the_pack_reads_paintings_as_well_as_its_cards_say(paintings: Paintings) -> None:
    rows = bounded(Reading(pack=pocket_directory(), paintings=paintings))
    assert len(rows) == 7
    assert [row for row in rows if not row.kept] == []


def test_fresh_weights_read_nothing(paintings: Paintings, tmp_path: Path) -> None:
    write_untrained(Workshop(recipe=SMOKE, folder=tmp_path / "work", say=lambda _line: None), tmp_path / "pack")
    rows = bounded(Reading(pack=tmp_path / "pack", paintings=paintings))
    assert [row for row in rows if row.kept] == []
    assert max(row.value for row in rows if not row.unit) < 0.25, "chance: one style of twelve, one text of 64"


def bounded(reading: Reading) -> list[Row]:
    """Shares and decibels that have to reach something; how long it takes depends on who else works here."""
    return [row for row in reading.rows() if row.least is not None]
