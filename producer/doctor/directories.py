"""Whether the directories that Paragone writes to can be written, and have room for files."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from producer.health.check import HealthCheck, failed, passed, warned

#: Free bytes under which nothing can be done, and under which a campaign will fill the disk.
LITTLE_BYTES, FEW_BYTES = 1 << 30, 10 << 30
#: The same for files: a repaint is one.
LITTLE_FILES, FEW_FILES = 1_000, 100_000
#: File systems of networks, on which SQLite's shared memory does not work.
_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "ceph", "glusterfs", "lustre")


@dataclass(frozen=True, kw_only=True)
class UsedDirectory:
    """One directory, for what it is, and the variable that names another."""

    name: str
    path: Path
    variable: str
    #: Whether SQLite works in it.
    holds_sqlite: bool = False


def check_directory(one: UsedDirectory) -> HealthCheck:
    """Whether it can be written, or made, and has room."""
    place = one.path
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return failed(one.name, f"{place} is a file", f"name a folder in {one.variable}")
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0")
    except OSError as error:
        return _unwritable(one, place, error)
    kind = _file_system(place)
    if one.holds_sqlite and kind.startswith(_NETWORK):
        fix = f"set {one.variable} to a local disk, or PARAGONE_DATABASE_URL to PostgreSQL"
        return failed(one.name, f"{one.path} lies on a network file system ({kind}), on which SQLite does not work", fix)
    return _room(one, place)


def _unwritable(one: UsedDirectory, place: Path, error: OSError) -> HealthCheck:
    made = "" if place == one.path else f", so that {one.path} cannot be made"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return failed(one.name, f"the disk of {place} is full{made}", f"make room, or set {one.variable} to a larger disk")
    if error.errno == errno.EROFS:
        return failed(one.name, f"{place} is on a read-only disk{made}", f"mount it writable, or set {one.variable} to another place")
    text = f"{place} cannot be written by user {os.geteuid()} ({error.strerror or type(error).__name__}){made}"
    return failed(one.name, text, f"chown it to that user, or set {one.variable} to another place")


def _room(one: UsedDirectory, place: Path) -> HealthCheck:
    return judge_room(one, free_bytes=shutil.disk_usage(place).free, free_files=_free_files(place))


def judge_room(one: UsedDirectory, *, free_bytes: int, free_files: int | None) -> HealthCheck:
    """Whether that is enough; `free_files` is None where the file system makes inodes as it needs them."""
    fix = f"make room, or set {one.variable} to a larger disk"
    if free_files is not None and free_files < FEW_FILES:
        report = failed if free_files < LITTLE_FILES else warned
        return report(one.name, f"the disk of {one.path} has room for {free_files:,} more files only (inodes)", fix)
    if free_bytes < FEW_BYTES:
        report = failed if free_bytes < LITTLE_BYTES else warned
        return report(one.name, f"the disk of {one.path} has only {decimal(free_bytes)} free", fix)
    return passed(one.name, f"{one.path}, {decimal(free_bytes)} free")


def _free_files(place: Path) -> int | None:
    found = os.statvfs(place)
    return found.f_favail if found.f_files else None


def _file_system(place: Path) -> str:
    """The type of the file system, as mount tells it; "" where there is no such list."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return ""
    path = place.resolve()
    # The deepest mount point above it; of several on one point the last.
    above = [mount for mount in mounts if path.is_relative_to(mount[1].replace("\\040", " "))]
    return max(above, key=lambda mount: len(mount[1]))[2] if above else ""
