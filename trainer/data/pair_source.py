"""Where a training gets its pairs from: a campaign in the database, or a folder that `paragone export` wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from db.campaigns import frozen_revision
from db.results.pairs import originals, read_image_bytes, repaints
from db.training.group_splits import splits_by_subset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from db.campaigns import Campaign
    from db.engine import Database
    from db.results.pairs import Original, Repaint
    from db.store import Store
    from db.training import Split

#: Name of a given split to each group's side.
GivenSplits = dict[str, dict[str, "Split"]]


class PairSource(Protocol):
    """Originals and repaints of one campaign, with their images."""

    @property
    def campaign(self) -> Campaign:
        """The campaign that made the repaints."""
        ...

    @property
    def database(self) -> Database | None:
        """Where triplets and runs are recorded; None if the pairs are of no database here."""
        ...

    def originals(self) -> Sequence[Original]:
        """All originals whose image is there."""
        ...

    def repaints(self) -> Sequence[Repaint]:
        """All current repaints; raises nothing if there are none."""
        ...

    def given_splits(self, found: Iterable[Original]) -> GivenSplits:
        """The splits that came with the data."""
        ...

    def read_image(self, content_hash: str, link: str | None) -> bytes:
        """The bytes of an image.

        Raises:
            BlobMissing: it is gone, or is another one than it should be.
            StoreUnavailable: the store is away as a whole.
            OSError: it cannot be read.
        """
        ...

    def captioner_revision(self) -> str | None:
        """The commit of the captioner that described the pairs; None if that is not known."""
        ...


class DatabasePairs:
    """A campaign in the database, its images in the store or where they were linked."""

    def __init__(self, database: Database, store: Store, campaign: Campaign) -> None:
        self.database: Database | None = database
        self.campaign = campaign
        self._database = database
        self._store = store

    def originals(self) -> Sequence[Original]:
        """Those that the campaign repaints, by id."""
        return originals(self._database, self.campaign.id)

    def repaints(self) -> Sequence[Repaint]:
        """By artwork, level and ordinal."""
        return repaints(self._database, self.campaign.id)

    def given_splits(self, found: Iterable[Original]) -> GivenSplits:
        """The catalogue's, if it has one."""
        return catalogue_split({original.key: (original.group_key, original.subset) for original in found})

    def read_image(self, content_hash: str, link: str | None) -> bytes:
        """From the store, or from where it was left."""
        return read_image_bytes(self._store, content_hash, link)

    def captioner_revision(self) -> str | None:
        """As the campaign froze it."""
        caption = self.campaign.config.caption
        return frozen_revision(self._database, self.campaign.id, backend=caption.backend, model=caption.model)


def catalogue_split(subsets: Mapping[str, tuple[str, str | None]]) -> GivenSplits:
    """The split by `subset`, from each original's group and subset by key; none if no original has a subset."""
    if not any(subset for _, subset in subsets.values()):
        return {}
    return {"catalogue": splits_by_subset(subsets.values())}
