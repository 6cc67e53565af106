"""The pairs of an export as a training takes them: the same originals and repaints as the database gave when it was exported."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from db.campaigns import Campaign
from db.campaigns.configuration import parse_config
from db.enums import CampaignState
from db.errors import BadConfiguration, BlobMissing
from db.results.export_manifest import MANIFEST, read_manifest
from db.results.pairs import Original, Repaint
from db.training import Split
from trainer.data.exports.folder_reader import FolderExport
from trainer.data.exports.parquet_reader import ParquetExport
from trainer.data.exports.tar_reader import TarExport
from trainer.data.pair_source import GivenSplits, catalogue_split
from trainer.errors import BadExportFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from db.results.export_manifest import ExportManifest
    from trainer.data.exports.reader import ExportedFacts, ExportReader, ImagePlace

#: Format of an export to what reads it.
READERS: dict[str, Callable[[Path], ExportReader]] = {
    "parquet": ParquetExport,
    "hf": ParquetExport,
    "webdataset": TarExport,
    "csv": FolderExport,
    "imagefolder": FolderExport,
}


class ExportPairs:
    """A finished export. Ids are places in it, from 1."""

    #: What is trained from an export is recorded in the model's folder alone.
    database = None

    def __init__(self, folder: Path) -> None:
        """Reads the facts of all pairs, and no image.

        Raises:
            BadExport, BadExportFolder: the folder holds no finished export that can be read.
        """
        self._folder = folder
        manifest = _manifest(folder)
        self.campaign = _campaign(folder, manifest)
        self._split = manifest.source.split
        self._reader = READERS[manifest.source.format](folder)
        self._originals: dict[str, Original] = {}
        self._repaints: list[Repaint] = []
        self._places: dict[str, ImagePlace] = {}
        self._sides: dict[str, Split] = {}
        self._captioners: set[str] = set()
        for pair in self._reader.pairs([shard.name for shard in manifest.shards]):
            try:
                self._add(pair)
            except (KeyError, TypeError, ValueError) as error:
                raise BadExportFolder(f"{folder} holds rows that are none of an export ({error!r}): run `paragone export` again") from None

    def originals(self) -> Sequence[Original]:
        """By key."""
        return list(self._originals.values())

    def repaints(self) -> Sequence[Repaint]:
        """By artwork, level and ordinal."""
        return self._repaints

    def given_splits(self, found: Iterable[Original]) -> GivenSplits:
        """The export's own sides, and the catalogue's if it has any."""
        own: GivenSplits = {} if self._split == "none" else {"export": self._sides}
        return own | catalogue_split({original.key: (original.group_key, original.subset) for original in found})

    def read_image(self, content_hash: str, link: str | None) -> bytes:  # noqa: ARG002  # nothing is linked in an export
        """From the export, checked against its hash."""
        place = self._places[content_hash]
        data = self._reader.read(place)
        if hashlib.sha256(data).hexdigest() != content_hash:
            raise BlobMissing(f"{self._folder / place.file} holds another image than its table says: run `paragone export` again")
        return data

    def captioner_revision(self) -> str | None:
        """The one that described all originals; None if there were several."""
        return next(iter(self._captioners)) if len(self._captioners) == 1 else None

    def _add(self, pair: ExportedFacts) -> None:
        record = pair.record
        original = self._originals.setdefault(record["artwork"], _original(record, len(self._originals) + 1))
        self._repaints.append(_repaint(record, original.artwork_id, len(self._repaints) + 1))
        self._places.setdefault(original.content_hash, pair.original)
        self._places.setdefault(record["repaint_hash"], pair.repaint)
        self._sides[record["group"]] = Split(record["split"])
        self._captioners.update(made["revision"] for stage, made in json.loads(record["models"]).items() if stage == "caption")


def _manifest(folder: Path) -> ExportManifest:
    manifest = read_manifest(folder)
    if manifest is None:
        raise BadExportFolder(f"{folder} holds no export (no {MANIFEST}): name the folder that `paragone export` wrote")
    if not manifest.complete:
        raise BadExportFolder(f"the export in {folder} is not finished: run `paragone export` again, which goes on where it ended")
    if manifest.source.format not in READERS:
        raise BadExportFolder(f"the export in {folder} is of the format {manifest.source.format}: train reads {', '.join(READERS)}")
    return manifest


def _campaign(folder: Path, manifest: ExportManifest) -> Campaign:
    try:
        config = parse_config(manifest.config)
    except BadConfiguration as error:
        raise BadExportFolder(f"{folder} is the export of a newer Paragone: install that ({error})") from None
    return Campaign(id=0, name=manifest.source.campaign, config=config, state=CampaignState.OPEN)


def _original(record: dict[str, Any], number: int) -> Original:
    return Original(
        artwork_id=number,
        key=record["artwork"],
        group_key=record["group"],
        artist=record["artist"],
        title=record["title"],
        style=record["style"],
        styles=tuple(record["styles"]),
        subset=record["subset"],
        # Of the bytes that are in the export: a prepared original is another image than the registered one.
        content_hash=record["original_file_hash"],
        link=None,
        width=record["original_width"],
        height=record["original_height"],
    )


def _repaint(record: dict[str, Any], artwork_id: int, number: int) -> Repaint:
    return Repaint(
        image_id=number,
        artwork_id=artwork_id,
        variation_id=number,
        level=record["level"],
        ordinal=record["ordinal"],
        seed=record["seed"],
        content_hash=record["repaint_hash"],
        pixel_hash=record["repaint_pixel_hash"],
        width=record["repaint_width"],
        height=record["repaint_height"],
        prompt=record["prompt"],
        prompt_tokens=record["prompt_tokens"],
        brief=record["brief"],
        caption=record["caption"],
        recaption=record["recaption"],
        provenance=json.loads(record["provenance"]),
    )
