from __future__ import annotations

import pytest

from producer.cleaning import CleanedArtwork, clean_artwork, join_catalogue
from producer.cleaning.device_names import is_device_name
from producer.readers import Catalogue, CatalogueFile, CatalogueRow


def of_files(*paths: str, rows: tuple[CatalogueRow, ...] = (), names_identify: bool = True) -> dict[str, CleanedArtwork]:
    catalogue = Catalogue(
        source="test",
        reader="test",
        rows=rows,
        files=tuple(CatalogueFile(path=path) for path in paths),
        refused=(),
        columns={},
        empty={},
        names_identify=names_identify,
        on_disk=False,
    )
    return {artwork.copies[0].file.path if artwork.copies else artwork.key: clean_artwork(artwork) for artwork in join_catalogue(catalogue)}


@pytest.mark.parametrize(
    "stem",
    [
        *("IMG_1001", "DSC_0042", "DSCF1234", "_MG_1234", "PXL_20230101_120000123", "PXL_20230101_120000123.MP", "P1010001", "GOPR0001"),
        *("20230101_120000", "Screenshot_20230101-120000_Chrome", "WhatsApp Image 2023-01-01 at 12.00.00", "IMG-20230101-WA0001"),
        *("scan_001", "photo_1", "image (2)", "Untitled-1", "550e8400-e29b-41d4-a716-446655440000", "d41d8cd98f00b204e9800998ecf8427e"),
        *("100_1234", "IMG_E1234", "img_0001_edited", "KODAK_0012", "Kopie von IMG_1001", "82719273_1029384756_n", "00017", ""),
    ],
)
def test_names_of_cameras_scanners_and_programs_are_known(stem: str) -> None:
    assert is_device_name(stem)


@pytest.mark.parametrize(
    "stem",
    [
        *(
            "gustav-klimt_baby-1917",
            "rembrandt_night-watch",
            "joan-miro_227939",
            "ana_hill",
            "el-lissitzky_proun-12",
            "sam-francis_untitled",
        ),
        *("ioannis-altamouras_16b479d8d1c3151ea82e2e630b8a4afa", "sol-lewitt_untitled-from-4x4x4-1990", "a_b", "sunset over the lake"),
    ],
)
def test_names_that_a_person_gave_are_no_device_names(stem: str) -> None:
    assert not is_device_name(stem)


def test_a_folder_of_camera_pictures_gives_neither_artists_nor_styles_nor_titles() -> None:
    found = of_files("IMG_1001.JPG", "Holiday/DSC_0042.jpg", "Holiday/beach_sunset.jpg", "2019/scan_001.png")
    assert {(artwork.artist, artwork.style) for artwork in found.values()} == {(None, None)}
    assert found["IMG_1001.JPG"].title is None
    assert found["Holiday/beach_sunset.jpg"].title == "beach sunset"
    assert found["Holiday/DSC_0042.jpg"].key == "Holiday/DSC_0042", "the same counter in another folder is another picture"


@pytest.mark.parametrize("folder", ["img", "images", "train", "Holiday", "DCIM/100CANON", "2023-05", "New folder"])
def test_a_folder_is_no_style_only_because_pictures_lie_in_it(folder: str) -> None:
    (artwork,) = of_files(f"{folder}/one.png", rows=(CatalogueRow(number=1, path=f"{folder}/one.png", artist="Ann"),)).values()
    assert (artwork.artist, artwork.style, artwork.incomplete) == ("Ann", None, "no style")


def test_a_known_style_is_one_however_it_is_spelled_and_whatever_its_files_are_named() -> None:
    found = of_files("post-impressionism/IMG_1.jpg", "wikiart/Ukiyo_e/scans/0001.jpg")
    assert [(artwork.artist, artwork.style) for artwork in found.values()] == [(None, "Post Impressionism"), (None, "Ukiyo e")]


@pytest.mark.parametrize(
    "paths",
    [
        ("Realism/ana_hill.jpg",),
        ("Suprematism/kazimir-malevich_black-square-1915.jpg",),
        ("Street_Art/banksy_girl.jpg", "Realism/ana_hill.jpg"),
        ("Unclassified/ana_hill.jpg", "Realism/bo_sea.jpg"),
    ],
)
def test_a_small_tree_of_styles_is_recognised(paths: tuple[str, ...]) -> None:
    found = of_files(*paths)
    assert all(artwork.artist for artwork in found.values())
    assert [artwork.style for artwork in found.values() if "Unclassified" not in artwork.copies[0].file.path] == [
        path.partition("/")[0].replace("_", " ") for path in paths if "Unclassified" not in path
    ]
    assert all("/" not in artwork.key for artwork in found.values())


def test_files_that_no_row_of_a_plain_csv_names_are_read_by_their_names() -> None:
    row = CatalogueRow(number=1, path="Cubism/juan-gris_table.jpg")
    found = of_files("Cubism/juan-gris_table.jpg", "Baroque/bo-c_sea-1650.jpg", "Baroque/IMG_1.jpg", rows=(row,), names_identify=False)
    named = found["Baroque/bo-c_sea-1650.jpg"]
    assert (named.key, named.artist, named.title, named.style) == ("bo-c_sea-1650", "bo c", "sea", "Baroque")
    listed = found["Cubism/juan-gris_table.jpg"]
    assert (listed.key, listed.artist, listed.title) == ("Cubism/juan-gris_table", "juan gris", "table")
    assert found["Baroque/IMG_1.jpg"].artist is None
