from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.plan import Plan
from tests.chaos.undisturbed import undisturbed_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.chaos.gates.evidence import Planned

#: Artworks of the short runs: each run of the tests takes as many as it wants of them.
MOST_ARTWORKS = 24


@pytest.fixture(scope="session")
def undisturbed() -> Mapping[Planned, str]:
    """The pixel hashes of an undisturbed run, of a plan where nobody is guilty."""
    return undisturbed_pixels(Plan(artworks=MOST_ARTWORKS, planted=(), spoiled=False))
