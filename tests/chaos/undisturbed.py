"""An undisturbed run of the same plan: one worker, nothing planted, nothing that takes time."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.tables import artworks, images, variations
from tests.acceptance.installation import Installation
from tests.chaos.plan import number_of
from tests.chaos.world import MAIN, run_here

if TYPE_CHECKING:
    from tests.chaos.gates.evidence import Planned
    from tests.chaos.plan import Plan


def undisturbed_pixels(plan: Plan) -> dict[Planned, str]:
    """Each variation's pixel hash."""
    folder = Path(tempfile.mkdtemp(prefix="paragone-undisturbed-", dir="/tmp"))
    installation = Installation(directory=folder / "data")
    try:
        plan.write_originals(folder / "originals")
        run_here(installation.runtime, "ingest", folder / "originals")
        campaign = plan.write_campaign(folder / "campaign.toml", clockwork=None)
        run_here(installation.runtime, "enqueue", "--campaign", MAIN, "--config", campaign)
        installation.output_of("work", "--gpus", "none", "--until-idle")
        query = (
            select(artworks.c.key, variations.c.level, variations.c.ordinal, images.c.pixel_hash)
            .join(variations, variations.c.id == images.c.variation_id)
            .join(artworks, artworks.c.id == images.c.artwork_id)
            .where(images.c.current)
        )
        with installation.runtime.database.read() as connection:
            return {(number_of(row.key), row.level, row.ordinal): row.pixel_hash for row in connection.execute(query)}
    finally:
        installation.close()
        shutil.rmtree(folder, ignore_errors=True)
