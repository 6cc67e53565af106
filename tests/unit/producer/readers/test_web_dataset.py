from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import webdataset

from producer.readers import CatalogueUnreadable, read_catalogue
from producer.readers.cells import CellRepair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write(path: Path, *samples: dict[str, Any]) -> None:
    with webdataset.TarWriter(str(path)) as sink:
        for sample in samples:
            sink.write(sample)


def pack(path: Path, *members: tuple[str, bytes]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def contents(path: Path) -> list[bytes]:
    return [file.content.read() for file in read_catalogue(path).files if file.content is not None]


def test_shards_of_webdataset_are_read_with_what_lies_beside_each_image(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    for shard in range(2):
        samples = (
            {
                "__key__": f"{number:06}",
                "png": png(shard * 2 + number),
                "json": {"artist": "Ann", "style": ["Cubism", "Rococo"], "year": 1901},
                "txt": "a sea",
                "cls": 3,
            }
            for number in range(2)
        )
        write(tmp_path / f"art-{shard:06}.tar", *samples)
    catalogue = read_catalogue(tmp_path)
    assert catalogue.reader == "WebDataset"
    assert [row.path for row in catalogue.rows] == [f"{tmp_path.name}/art-{shard:06}/{row}" for shard in range(2) for row in range(2)]
    row = catalogue.rows[0]
    assert (row.artist, row.styles) == ("Ann", '["Cubism", "Rococo"]')
    assert row.extra == {"year": "1901", "text": "a sea", "cls": "3"}
    assert contents(tmp_path) == [png(number) for number in range(4)]
    assert catalogue.files[0].byte_size == (tmp_path / "art-000000.tar").stat().st_size


def test_names_in_a_tar_that_follow_the_artists_identify(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    pack(tmp_path / "art.tar", ("Cubism/ann-one_sea.png", png(0)), ("Cubism/ann-one_sea.json", b'{"artist": "Ann One"}'))
    catalogue = read_catalogue(tmp_path / "art.tar")
    assert [row.path for row in catalogue.rows] == ["Cubism/ann-one_sea.png"]
    assert catalogue.names_identify


def test_shards_of_splits_give_each_row_its_subset(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    for number, split in enumerate(("test", "train")):
        (tmp_path / split).mkdir()
        write(tmp_path / split / "000000.tar", {"__key__": "a", "png": png(number), "json": {"artist": "Ann"}})
    assert [row.subset for row in read_catalogue(tmp_path).rows] == ["test", "train"]


def test_what_is_no_sample_is_refused_and_named(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    pack(
        tmp_path / "art.tar",
        ("a.png", png(0)),
        ("a.repaint.png", png(1)),
        ("a.json", b"{"),
        ("b.json", b'{"artist": "Bo"}'),
        ("c.png", png(2)),
        ("c.json", b'["no", "object"]'),
        ("d.json", b'{"artist": "x", "artist": "y"}'),
        ("d.png", png(3)),
    )
    with tarfile.open(tmp_path / "art.tar", "a") as archive:
        link = tarfile.TarInfo("e.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    catalogue = read_catalogue(tmp_path / "art.tar")
    assert [row.path for row in catalogue.rows] == ["a.png", "c.png", "d.png"]
    assert [(refused.path, refused.row, refused.reason.split(":")[0]) for refused in catalogue.refused] == [
        ("a.json", None, "not JSON, or cut"),
        ("a.repaint.png", None, "a further image of its sample"),
        ("c.json", None, "not a JSON object"),
        ("d.json", None, "a key stands twice in one object"),
        ("e.png", None, "a link or device of the archive, not a regular file"),
        ("art/1", 2, "the row holds no image and names none"),
    ]


def test_cells_of_a_tar_are_cleaned_and_counted(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    pack(tmp_path / "art.tar", ("a.png", png(0)), ("a.json", b'{"artist": "An\\u0000n", "style": "\\ud800"}'), ("a.txt", b"Joaqu\xedn"))
    catalogue = read_catalogue(tmp_path / "art.tar")
    (row,) = catalogue.rows
    assert (row.artist, row.styles, row.extra) == ("Ann", "\ufffd", {"text": "Joaqu\u00edn"})
    assert catalogue.repairs == {CellRepair.NUL: 1, CellRepair.SURROGATE: 1}


@pytest.mark.parametrize("cut", [1, 3, 5, 7, 9])
def test_of_a_cut_tar_the_whole_samples_are_read_and_the_cut_is_told(tmp_path: Path, png: Callable[[int], bytes], cut: int) -> None:
    pack(tmp_path / "art.tar", *((f"{number}.png", png(number) + bytes(1000)) for number in range(10)))
    (tmp_path / "art.tar").write_bytes((tmp_path / "art.tar").read_bytes()[: cut * 2048 + 700])
    catalogue = read_catalogue(tmp_path / "art.tar")
    assert len(catalogue.rows) == cut
    ((path, reason),) = [(refused.path, refused.reason) for refused in catalogue.refused]
    assert path == "art.tar"
    assert f"cut after {cut} samples" in reason
    assert len(contents(tmp_path / "art.tar")) == cut


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"<html><body>sign in</body></html>" * 40, "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PK\x03\x04" + bytes(2000), "ZIP"),
        (b"\x1f\x8b\x08" + bytes(2000), "compressed"),
        (bytes(10240), "holds no samples"),
        (b"x" * 600, "broken or cut after 0 samples"),
    ],
)
def test_what_is_no_tar_is_told(tmp_path: Path, unreadable: Callable[[Path], str], data: bytes, said: str) -> None:
    (tmp_path / "art.tar").write_bytes(data)
    assert said in unreadable(tmp_path / "art.tar")


def test_a_tar_beside_images_does_not_hide_them(pictures: Path, png: Callable[[int], bytes]) -> None:
    pack(pictures / "backup.tar", ("a.png", png(0)))
    (pictures / "three.png").write_bytes(png(3))
    assert read_catalogue(pictures).reader == "image tree"


def test_an_image_of_a_shard_that_was_cut_later_is_an_error_of_its_own(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    pack(tmp_path / "art.tar", ("a.png", png(0)))
    content = read_catalogue(tmp_path / "art.tar").files[0].content
    (tmp_path / "art.tar").write_bytes(b"x" * 520)
    assert content is not None
    with pytest.raises(OSError, match=r"art\.tar is cut"):
        content.read()


def test_a_file_list_does_not_stand_in_for_a_shard(tmp_path: Path, png: Callable[[int], bytes]) -> None:
    pack(tmp_path / "art.tar", ("a.png", png(0)))
    (tmp_path / "files.txt").write_text("a.png\n")
    with pytest.raises(CatalogueUnreadable, match="leave --file-list out"):
        read_catalogue(tmp_path / "art.tar", file_list=tmp_path / "files.txt")
