"""What the gates judge: a run that is over, read once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.campaigns import find_campaign
from db.tables import artworks, attempts, captions, images, jobs, leases, prompts, variations
from tests.chaos.plan import number_of
from tests.chaos.world import MAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import RowMapping

    from tests.chaos.journal import Journal
    from tests.chaos.watch import Watch
    from tests.chaos.world import World

#: Number of the artwork, level and ordinal of a variation.
Planned = tuple[int, str, int]


@dataclass(frozen=True)
class Evidence:
    """A run that is over, and the pixel hashes of an undisturbed one."""

    world: World
    watch: Watch
    journal: Journal
    undisturbed: Mapping[Planned, str]

    @cached_property
    def main(self) -> int:
        """The id of the campaign that is judged."""
        return find_campaign(self.world.database, MAIN).id

    @cached_property
    def jobs(self) -> list[RowMapping]:
        return self._rows(jobs)

    @cached_property
    def attempts(self) -> list[RowMapping]:
        return self._rows(attempts)

    @cached_property
    def variations(self) -> list[RowMapping]:
        return self._rows(variations)

    @cached_property
    def images(self) -> list[RowMapping]:
        return self._rows(images)

    @cached_property
    def captions(self) -> list[RowMapping]:
        return self._rows(captions)

    @cached_property
    def prompts(self) -> list[RowMapping]:
        return self._rows(prompts)

    @cached_property
    def leases(self) -> list[RowMapping]:
        return self._rows(leases)

    @cached_property
    def artworks(self) -> list[RowMapping]:
        return self._rows(artworks)

    @cached_property
    def numbers(self) -> dict[int, int]:
        """Artwork id to its number in the plan."""
        return {row["id"]: number_of(row["key"]) for row in self.artworks}

    @cached_property
    def chains(self) -> dict[int, list[RowMapping]]:
        """Variation id to the jobs that lead to its repaint: its own but the recaption, and the caption of its artwork."""
        first = {(row["campaign_id"], row["artwork_id"]): row for row in self.jobs if row["variation_id"] is None}
        found: dict[int, list[RowMapping]] = {
            row["id"]: [job] if (job := first.get((row["campaign_id"], row["artwork_id"]))) else [] for row in self.variations
        }
        for job in self.jobs:
            if job["variation_id"] is not None and job["stage"] != "recaption":
                found[job["variation_id"]].append(job)
        return found

    @cached_property
    def current(self) -> dict[int, list[RowMapping]]:
        """Variation id to its current images."""
        found: defaultdict[int, list[RowMapping]] = defaultdict(list)
        for row in self.images:
            if row["current"]:
                found[row["variation_id"]].append(row)
        return dict(found)

    @cached_property
    def lost(self) -> list[RowMapping]:
        """Variations that have neither a current image nor a job that failed with a reason or was cancelled."""
        return [row for row in self.variations if not self.current.get(row["id"]) and not any(map(_is_told, self.chains[row["id"]]))]

    @cached_property
    def doubled(self) -> list[RowMapping]:
        """Variations that have more than one current image."""
        return [row for row in self.variations if len(self.current.get(row["id"], ())) > 1]

    @cached_property
    def stored(self) -> set[str]:
        """The hashes of all blobs, by a look at the disk."""
        return {path.name for path in (self.world.store / "blobs").rglob("*") if path.is_file()}

    def _rows(self, table: Any) -> list[RowMapping]:
        with self.world.database.read() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)).mappings())


def _is_told(job: RowMapping) -> bool:
    return job["state"] == "cancelled" or (job["state"] == "failed" and bool(job["error_kind"]) and bool(job["error_text"]))
