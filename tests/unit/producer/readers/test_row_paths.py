from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from producer.readers import CatalogueFile, read_catalogue
from producer.readers.cells import CellRepair
from producer.readers.files import HIDDEN_FILES, OWN_DATA, find_files

#: What a row may name instead of a file in the image root, and what is true of it.
REFUSED = {
    "": "names no file",
    " ": "names no file",
    ".": "the image root itself",
    "img/..": "the image root itself",
    "..": "leaves the image root",
    "../out.png": "leaves the image root",
    "img/../../out.png": "leaves the image root",
    "..\\out.png": "leaves the image root",
    "/etc/passwd": "absolute and not in",
    "//server/share/out.png": "absolute and not in",
    "\\\\server\\share\\out.png": "absolute and not in",
    "C:\\data\\img\\one.png": "drive of Windows",
    "c:/data/one.png": "drive of Windows",
    "http://example.org/one.png": "a URL (http): download",
    "https://example.org/one.png": "a URL (https): download",
    "s3://bucket/one.png": "a URL (s3): download",
    "gs://bucket/one.png": "a URL (gs): download",
    "file:///etc/one.png": "absolute and not in",
    "file://server/share/one.png": "a URL of another host",
    "file:///C:/data/one.png": "drive of Windows",
    "data:image/png;base64,iVBORw0KGgo=": "written into the cell",
    "https://[broken/one.png": "a URL",
}


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("path", REFUSED)
def test_a_path_that_is_none_in_the_root_is_refused_for_what_is_true_of_it(pictures: Path, path: str, suffix: str) -> None:
    if suffix == "csv":
        (pictures / "cat.csv").write_text(f"artist,path\nAnn,img/one.png\nBo,{path}\nCy,img/two.png\n")
    else:
        rows = ({"artist": "x", "path": one} for one in ("img/one.png", path, "img/two.png"))
        (pictures / "cat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    catalogue = read_catalogue(pictures / f"cat.{suffix}")
    assert [row.path for row in catalogue.rows] == ["img/one.png", "img/two.png"]
    ((number, reason),) = [(refused.row, refused.reason) for refused in catalogue.refused]
    assert number == 2
    assert REFUSED[path] in reason


@pytest.mark.parametrize(
    "written",
    [
        "{root}/img/one.png",
        "{root}//img/./one.png",
        "{root}/img/sub/../one.png",
        "file://{root}/img/one.png",
        "file://localhost{root}/img/one.png",
        "FILE://{root}/img/one%2Epng",
        "{linked}/img/one.png",
    ],
)
def test_an_absolute_path_inside_the_root_is_made_relative_and_counted(pictures: Path, written: str) -> None:
    linked = pictures.parent / f"{pictures.name}-linked"
    linked.symlink_to(pictures)
    (pictures / "cat.csv").write_text(f"path,artist\n{written.format(root=pictures, linked=linked)},Ann\n")
    for catalogue in (read_catalogue(pictures / "cat.csv"), read_catalogue(linked / "cat.csv")):
        assert [row.path for row in catalogue.rows] == ["img/one.png"]
        assert catalogue.repairs == {CellRepair.ABSOLUTE: 1}


@pytest.mark.parametrize("written", ["img%2Fone.png", "img/one%2Epng", "img/%6Fne.png"])
def test_a_percent_encoded_path_is_decoded_where_only_that_file_is_there(pictures: Path, written: str) -> None:
    (pictures / "cat.csv").write_text(f"path,artist\n{written},Ann\nimg/100%.png,Bo\n")
    catalogue = read_catalogue(pictures / "cat.csv")
    assert [row.path for row in catalogue.rows] == ["img/one.png", "img/100%.png"]
    assert catalogue.repairs == {CellRepair.PERCENT: 1}


def test_a_name_with_a_percent_sign_that_is_there_stays(pictures: Path) -> None:
    (pictures / "img/o%6Ee.png").write_bytes(b"x")
    (pictures / "cat.csv").write_text("path,artist\nimg/o%6Ee.png,Ann\n")
    catalogue = read_catalogue(pictures / "cat.csv")
    assert [row.path for row in catalogue.rows] == ["img/o%6Ee.png"]
    assert not catalogue.repairs


def test_absolute_lines_of_a_file_list_are_refused_for_that(tmp_path: Path) -> None:
    (tmp_path / "files.txt").write_text("/data/a.png\nb.png\n../c.png\n")
    catalogue = read_catalogue(tmp_path / "files.txt")
    assert [file.path for file in catalogue.files] == ["b.png"]
    assert ["list relative paths" in refused.reason for refused in catalogue.refused] == [True, False]


def test_links_and_pipes_are_each_told_by_their_own_reason(pictures: Path) -> None:
    root, outside = pictures / "img", pictures.parent / f"{pictures.name}-outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"x")
    (root / "dangling.png").symlink_to(root / "gone.png")
    (root / "dangling-out.png").symlink_to(outside / "gone.png")
    (root / "loop.png").symlink_to(root / "loop.png")
    (root / "ping.png").symlink_to(root / "pong.png")
    (root / "pong.png").symlink_to(root / "ping.png")
    (root / "leaving.png").symlink_to(outside / "secret.png")
    (root / "inner").symlink_to(root)
    (root / "outer").symlink_to(outside)
    (root / "folder.png").symlink_to(outside)
    os.mkfifo(root / "pipe.png")
    found = list(find_files(root, also=()))
    assert [file.path for file in found if isinstance(file, CatalogueFile)] == ["one.png", "two.png"]
    assert {file.path: file.reason for file in found if not isinstance(file, CatalogueFile)} == {
        "dangling.png": "a link that leads nowhere: its target is missing",
        "dangling-out.png": "a link that leads nowhere: its target is missing",
        "loop.png": "a link that leads in a circle",
        "ping.png": "a link that leads in a circle",
        "pong.png": "a link that leads in a circle",
        "leaving.png": "a link that leaves the image root",
        "inner": "a link to a folder of the same image root: its images are read where they lie",
        "outer": "a link to a folder outside the image root: name its target as the image root",
        "folder.png": "a link to a folder outside the image root: name its target as the image root",
        "pipe.png": "a pipe, not a regular file",
    }


def test_what_is_nobodys_artwork_is_not_looked_into_and_counted(pictures: Path) -> None:
    aside: tuple[str, ...] = (
        "@eaDir/one.png/SYNOPHOTO_THUMB_M.jpg",
        "img/@eaDir/a.jpg",
        "__MACOSX/b.png",
        ".thumbnails/c.png",
        "$RECYCLE.BIN/d.png",
    )
    aside += ("lost+found/e.png", "#recycle/f.png", ".git/g.png", "img/._one.png")
    for path in aside:
        (pictures / path).parent.mkdir(parents=True, exist_ok=True)
        (pictures / path).write_bytes(b"x")
    skipped: Counter[str] = Counter()
    assert [file.path for file in find_files(pictures, also=(), skipped=skipped)] == ["img/one.png", "img/two.png"]
    assert skipped == {"@eaDir": 2, HIDDEN_FILES: 1} | dict.fromkeys(
        ("__MACOSX", ".thumbnails", "$RECYCLE.BIN", "lost+found", "#recycle", ".git"), 1
    )
    assert read_catalogue(pictures).skipped == skipped


def test_paragones_own_data_inside_the_root_is_no_artwork(pictures: Path) -> None:
    for path in ("paragone-data/paragone.sqlite", "paragone-data/training/default/splits.png", "elsewhere/paragone-store.json"):
        (pictures / path).parent.mkdir(parents=True, exist_ok=True)
        (pictures / path).write_bytes(b"x")
    (pictures / "elsewhere/preview.png").write_bytes(b"x")
    (pictures / "named/report").mkdir(parents=True)
    (pictures / "named/report/sheet.png").write_bytes(b"x")
    catalogue = read_catalogue(pictures, exclude=[pictures / "named"])
    assert [file.path for file in catalogue.files] == ["img/one.png", "img/two.png"]
    assert catalogue.skipped == {OWN_DATA: 3}


def test_of_a_root_that_is_the_data_directory_only_the_images_are_read(pictures: Path) -> None:
    for path in ("paragone.sqlite", "report/default/sheet.png", "training/default/splits.png", "img/report/three.png"):
        (pictures / path).parent.mkdir(parents=True, exist_ok=True)
        (pictures / path).write_bytes(b"x")
    assert [file.path for file in read_catalogue(pictures).files] == ["img/one.png", "img/two.png", "img/report/three.png"]


def test_a_folder_that_cannot_be_read_is_told(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "img":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (refused,) = read_catalogue(pictures).refused
    assert (refused.path, refused.reason) == ("img", "the folder cannot be read: Permission denied")
