"""The pocket models that ship, and the same with fresh weights: what the former can do the latter cannot, so these checks can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.models_directory import pocket_directory
from trainer.pocket.pack_training import PackTraining, write_untrained
from trainer.pocket.paintings import load_paintings
from trainer.pocket.recipe import SMOKE
from trainer.pocket.recognition import Recognition

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.pocket.measures_table import Measure
    from trainer.pocket.paintings import Paintings

pytestmark = [pytest.mark.slow(reason="runs the shipped models on a hundred paintings"), pytest.mark.timeout(300)]

#: A seed that no recipe's paintings come from.
_SEED = 77


@pytest.fixture(scope="module")
def paintings(tmp_path_factory: pytest.TempPathFactory) -> Paintings:
    return load_paintings(tmp_path_factory.mktemp("unseen"), count=100, seed=_SEED)


def test_the_shipped_pack_recognises_paintings_as_well_as_its_cards_say(paintings: Paintings) -> None:
    rows = bounded(Recognition(pack=pocket_directory(), paintings=paintings))
    assert len(rows) == 7
    assert [row for row in rows if not row.kept] == []


def test_a_pack_with_fresh_weights_recognises_nothing(paintings: Paintings, tmp_path: Path) -> None:
    write_untrained(PackTraining(recipe=SMOKE, folder=tmp_path / "work", log=lambda _line: None), tmp_path / "pack")
    rows = bounded(Recognition(pack=tmp_path / "pack", paintings=paintings))
    assert [row for row in rows if row.kept] == []
    assert max(row.value for row in rows if not row.unit) < 0.25, "chance: one style of twelve, one text of 64"


def bounded(recognition: Recognition) -> list[Measure]:
    """SplitRatio and decibels that have to reach something; times depend on the load of the machine."""
    return [row for row in recognition.rows() if row.least is not None]
