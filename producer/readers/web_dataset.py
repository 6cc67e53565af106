"""WebDataset: tar shards in which an image and the .json, .txt or .cls beside it have one name."""

from __future__ import annotations

import posixpath
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from producer.readers.catalogue import RefusedPath
from producer.readers.cells import clean_cell
from producer.readers.embedded import EmbeddedRow, ImageShard, ShardTable
from producer.readers.errors import CatalogueUnreadable
from producer.readers.files import decode_name, is_image
from producer.readers.json_rows import load_json, object_cells
from producer.readers.shard_files import find_shards, split_name
from producer.readers.signatures import HEAD_BYTES, foreign_format, is_gzip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from producer.readers.catalogue import ParsedCatalogue

SUFFIX = ".tar"
_PATTERNS = ("*", "data/*", "*/*")
#: Longest text beside an image.
TEXT_BYTES = 16 * 2**20
#: Larger members are no images that a campaign could use.
IMAGE_BYTES = 2**30
#: Texts beside an image and the columns that they become.
_TEXTS = {"txt": "text", "caption": "caption", "cls": "cls", "text": "text"}


class WebDatasetReader:
    """Samples of tar shards; an image is read from its place in the shard when it is imported."""

    name = "WebDataset"

    def accepts(self, path: Path) -> bool:
        """True for a tar, or for a folder of them that holds no images beside them."""
        if path.is_dir():
            return bool(find_shards(path, SUFFIX, _PATTERNS)) and not any(is_image(one.name) for one in path.iterdir())
        return path.name.casefold().endswith(SUFFIX)

    def read(self, path: Path, columns: Mapping[str, str]) -> ParsedCatalogue:
        """All samples of all shards; what cannot be read of a shard is refused, the rest goes on."""
        folder = path if path.is_dir() else path.parent
        table = ShardTable(path=path, folder=folder)
        for location in find_shards(path, SUFFIX, _PATTERNS) if path.is_dir() else [path]:
            shard = ImageShard.of(location, path, split_name(location, folder))
            before = len(table.rows)
            try:
                for sample in _samples(location):
                    sample.add_to(table, shard, len(table.rows) - before)
            except (tarfile.TarError, OSError, EOFError, ValueError) as error:
                reason = _shard_fault(location, error, len(table.rows) - before)
                if not path.is_dir() and len(table.rows) == before:
                    raise CatalogueUnreadable(f"{path} {reason}") from None
                table.refused.append(RefusedPath(path=str(location.relative_to(folder)), reason=f"the shard {reason}"))
        if not table.rows and not table.refused:
            raise CatalogueUnreadable(f"{path} holds no samples: is it the right archive?")
        return table.read_table(columns)


@dataclass(frozen=True, slots=True)
class TarMember:
    """One image in a tar."""

    shard: Path
    offset: int
    byte_size: int

    def read(self) -> bytes:
        """The encoded image; raises `OSError`."""
        if self.byte_size > IMAGE_BYTES:
            raise OSError(f"larger than {IMAGE_BYTES >> 20} MiB")
        with self.shard.open("rb") as file:
            file.seek(self.offset)
            data = file.read(self.byte_size)
        if len(data) < self.byte_size:
            raise OSError(f"its shard {self.shard.name} is cut")
        return data


@dataclass(kw_only=True)
class _Sample:
    key: str
    #: Image members by name.
    images: dict[str, TarMember] = field(default_factory=dict)
    record: dict[str, str] = field(default_factory=dict)
    #: Members that are not read, with the reason.
    refused: list[RefusedPath] = field(default_factory=list)

    def ends_within(self, byte_size: int) -> bool:
        """Whether it has an image, and all of its images end before the shard does."""
        ends = [image.offset + image.byte_size for image in self.images.values()]
        return bool(ends) and max(ends) <= byte_size

    def add_to(self, table: ShardTable, shard: ImageShard, position: int) -> None:
        """The sample as a row; images beyond the first are refused."""
        table.refused += self.refused
        chosen = min(self.images, key=lambda name: (posixpath.basename(name).count("."), list(self.images).index(name)), default="")
        for name in self.images:
            if name != chosen:
                table.refused.append(RefusedPath(path=name, reason="a further image of its sample: one is read for each"))
        record = {name: clean_cell(cell, table.repairs) for name, cell in self.record.items()}
        table.names |= dict.fromkeys(record)
        content = self.images.get(chosen)
        if content is not None or record:
            stored = clean_cell(chosen, table.repairs)
            table.rows.append(EmbeddedRow(shard=shard, position=position, record=record, stored=stored, content=content))


def _samples(location: Path) -> Iterator[_Sample]:
    """Samples in their order: members that follow each other and have one name up to its first dot."""
    sample = _Sample(key="")
    with tarfile.open(location, "r:") as archive:
        try:
            for member in archive:
                # The archive keeps every member that it has met.
                archive.members = []  # type: ignore[attr-defined]  # its own list
                if member.isdir():
                    continue
                folder, base = posixpath.split(decode_name(member.name))
                stem, _, kind = base.partition(".")
                if (key := posixpath.join(folder, stem)) != sample.key:
                    yield sample
                    sample = _Sample(key=key)
                _add_member(archive, member, location, sample, kind.casefold())
        except tarfile.TarError:
            if sample.ends_within(location.stat().st_size):
                yield sample
            raise
    yield sample


def _add_member(archive: tarfile.TarFile, member: tarfile.TarInfo, location: Path, sample: _Sample, kind: str) -> None:
    name = decode_name(member.name)
    if not member.isreg():
        sample.refused.append(RefusedPath(path=name, reason="a link or device of the archive, not a regular file"))
    elif is_image(name):
        if name in sample.images:
            sample.refused.append(RefusedPath(path=name, reason="a second member of this name in its sample"))
        else:
            sample.images[name] = TarMember(shard=location, offset=member.offset_data, byte_size=member.size)
    elif kind in _TEXTS or kind == "json":
        if member.size > TEXT_BYTES:
            sample.refused.append(RefusedPath(path=name, reason=f"larger than {TEXT_BYTES >> 20} MiB"))
            return
        file = archive.extractfile(member)
        text = _decoded(file.read() if file else b"")
        if kind in _TEXTS:
            sample.record[_TEXTS[kind]] = text
        else:
            _add_json(sample, name, text)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _add_json(sample: _Sample, name: str, text: str) -> None:
    try:
        cells = object_cells(load_json(text))
    except ValueError:
        sample.refused.append(RefusedPath(path=name, reason="not JSON, or cut"))
        return
    if isinstance(cells, dict):
        sample.record |= cells
    else:
        sample.refused.append(RefusedPath(path=name, reason=cells.reason))


def _shard_fault(location: Path, error: Exception, read: int) -> str:
    try:
        with location.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as failed:
        return f"cannot be read ({failed.strerror}): check its permissions and the disk"
    if not head:
        return "is empty: fetch it again"
    if is_gzip(head):
        return "is compressed with gzip: decompress it, images are read from where they lie in the tar"
    if read == 0 and "tar archive" not in (foreign := foreign_format(head) or "tar archive"):
        return foreign
    return f"is broken or cut after {read:,} samples ({' '.join(str(error).split())}): fetch it again"
