"""The installed command, killed while it exports, and a campaign of a hundred thousand pairs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from db.results.export_manifest import read_manifest
from db.runtime import Runtime
from db.settings import Settings
from tests.builders.exportable import exportable

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = 60
#: What the process may grow by while it exports many rows more than 2,000; one row with its texts alone has some 3 kB in memory.
GROWTH_MIB = {100_000: 60, 25_000: 30}


def command(data: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PARAGONE_DATA_DIR": str(data)}
    return subprocess.Popen([sys.executable, "-m", "paragone", *arguments], env=environment, text=True, stderr=subprocess.PIPE)


def pieces(folder: Path) -> int:
    manifest = read_manifest(folder)
    return 0 if manifest is None else len(manifest.shards)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["webdataset", "imagefolder"])
def test_an_export_that_was_killed_goes_on_and_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    runtime = Runtime(Settings(data_dir=tmp_path / "data"))
    runtime.initialise()
    exportable(runtime, PAIRS // 2)
    runtime.close()
    line = ("export", "--format", name, "--rows-per-shard", "1", "--split", "80/10/10")
    with command(tmp_path / "data", *line, str(tmp_path / "cut")) as killed:
        while pieces(tmp_path / "cut") < 3 and killed.poll() is None:
            time.sleep(0.002)
        os.kill(killed.pid, signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert 3 <= pieces(tmp_path / "cut") < PAIRS

    for folder in ("cut", "whole"):
        with command(tmp_path / "data", *line, str(tmp_path / folder)) as exporting:
            _, errors = exporting.communicate()
        assert exporting.returncode == 0, errors

    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert pieces(tmp_path / "whole") == PAIRS


@pytest.mark.slow(reason="writes and exports a hundred thousand rows")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "pairs"), [("parquet", 100_000), ("webdataset", 25_000)])
def test_a_hundred_thousand_pairs_need_no_more_memory_than_two_thousand(tmp_path: Path, name: str, pairs: int) -> None:
    script = [sys.executable, "-m", "tests.acceptance.large_export", str(tmp_path), str(pairs // 100), name]
    told = subprocess.run(script, text=True, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
    rows, before, after = map(int, told.stdout.split())
    assert rows == pairs
    assert after - before < GROWTH_MIB[pairs], f"{before} MiB after 2,000 rows, {after} MiB after {pairs:,}"
