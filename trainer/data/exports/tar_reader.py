"""Exports as tar shards: the JSON of each pair, and where its images lie in the tar."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

from trainer.data.exports.reader import ExportedFacts, ImagePlace, read_flat
from trainer.errors import BadExportFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class TarExport:
    """Reads the format webdataset."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pairs(self, shards: Sequence[str]) -> Iterator[ExportedFacts]:
        """The pairs of these tars."""
        for shard in shards:
            try:
                with tarfile.open(self._folder / shard, "r:") as tar:
                    yield from _pairs(tar, shard)
            except (tarfile.TarError, OSError, ValueError, KeyError, IndexError) as error:
                raise BadExportFolder(
                    f"{self._folder / shard} cannot be read as a shard of an export ({error}): run `paragone export` again"
                ) from None

    def read(self, place: ImagePlace) -> bytes:
        """One member's bytes."""
        with (self._folder / place.file).open("rb") as file:
            file.seek(place.start)
            return file.read(place.size)


def _pairs(tar: tarfile.TarFile, shard: str) -> Iterator[ExportedFacts]:
    """Each pair when its JSON is met: its images stand before it."""
    places: dict[str, ImagePlace] = {}
    for member in tar:
        kind = member.name.split(".")[1]
        if kind in {"original", "repaint"}:
            places[kind] = ImagePlace(file=shard, start=member.offset_data, size=member.size)
        elif kind == "json":
            file = tar.extractfile(member)
            if file is None:
                raise ValueError(f"{member.name} is no file")
            yield ExportedFacts(record=read_flat(json.loads(file.read())), original=places.pop("original"), repaint=places.pop("repaint"))
