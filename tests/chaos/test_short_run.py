"""A short run of the chaos suite with a fast clockwork; `make chaos` is the long one, with the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.clockwork import FAST
from tests.chaos.conftest import MOST_ARTWORKS
from tests.chaos.plan import Plan
from tests.chaos.run import chaos_run
from tests.chaos.table import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.chaos.gates.evidence import Planned

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow(reason="three hosts are killed, frozen and started again for a minute")]

FAULTS = 25


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_gate_holds_after_faults_of_every_lane(database: str, undisturbed: Mapping[Planned, str]) -> None:
    plan = Plan(artworks=MOST_ARTWORKS)

    verdict = chaos_run(database=database, seed=1, faults=FAULTS, clockwork=FAST, plan=plan, undisturbed=undisturbed)

    assert verdict.broken == {}, as_text(verdict.kinds)
    everything = verdict.kinds[-1]
    assert everything.injected >= FAULTS
    assert everything.recovered == everything.injected
    assert len({fault["lane"] for fault in verdict.facts["faults"]}) == 5
