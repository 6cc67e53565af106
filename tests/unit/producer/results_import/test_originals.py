"""An artwork is found by whatever is left of its name, and only where no other could be meant."""

from __future__ import annotations

from typing import Any

import pytest

from db.catalogue.names import NamedArtwork
from db.enums import ImageState
from producer.results_import.image_names import bare_stem, stem_of
from producer.results_import.originals import JoinedBy, OriginalIndex


def artwork(number: int, *paths: str, key: str = "", group: str = "") -> NamedArtwork:
    key = key or paths[0].rsplit("/", 1)[-1].rsplit(".", 1)[0]
    facts: dict[str, Any] = {"content_hash": "0" * 64, "link": None, "width": 40, "height": 30, "extra": {}, "picture": ImageState.PRESENT}
    return NamedArtwork(id=number, key=key, group_key=group or key, paths=paths, **facts)


CHASE = artwork(1, "Impressionism/william-merritt-chase_still-life-with-cockatoo.jpg")
SOROLLA = artwork(2, "Impressionism/joaquín-sorolla_beach.jpg")
GRIS = artwork(3, "Cubism/juan-gris_glass_1.jpg")
GRIS_AGAIN = artwork(4, "Cubism/juan-gris_glass-1.jpg", key="juan-gris_glass-1")
RESIZED = artwork(5, "Realism/ilya-repin_barge-haulers_resize1024.jpg")
INDEX = OriginalIndex([CHASE, SOROLLA, GRIS, GRIS_AGAIN, RESIZED])


@pytest.mark.parametrize(
    ("named", "meant", "by"),
    [
        ("Impressionism/william-merritt-chase_still-life-with-cockatoo.jpg", CHASE, JoinedBy.PATH),
        ("/content/drive/wikiart/Impressionism/william-merritt-chase_still-life-with-cockatoo.jpg", CHASE, JoinedBy.PATH),
        (r"D:\wikiart\Impressionism\william-merritt-chase_still-life-with-cockatoo.jpg", CHASE, JoinedBy.PATH),
        ("../Impressionism/william-merritt-chase_still-life-with-cockatoo.jpg", CHASE, JoinedBy.PATH),
        ("https://example.org/a/william-merritt-chase_still-life-with-cockatoo.jpg", CHASE, JoinedBy.KEY),
        ("william-merritt-chase_still-life-with-cockatoo", CHASE, JoinedBy.KEY),
        ("resize/william-merritt-chase_still-life-with-cockatoo.png", CHASE, JoinedBy.KEY),
        ("impressionism/William-Merritt-Chase-still_life with cockatoo.jpg", CHASE, JoinedBy.FOLDER_AND_NAME),
        ("x/William-Merritt-Chase-still_life with cockatoo.jpg", CHASE, JoinedBy.NAME),
        ("resize768/william-merritt-chase_still-life-with-cockatoo_resize768.jpg", CHASE, JoinedBy.BARE_NAME),
        ("SDXL/william-merritt-chase_still-life-with-cockatoo_resize768_generated.jpg", CHASE, JoinedBy.BARE_NAME),
        ("william-merritt-chase_still-life-with-cockatoo-768x768.jpg", CHASE, JoinedBy.BARE_NAME),
        ("Impressionism/joaquã\xadn-sorolla_beach.jpg", SOROLLA, JoinedBy.KEY),
        ("Impressionism/joaqu\ufffdn-sorolla_beach_resize768.jpg", SOROLLA, JoinedBy.DAMAGED_NAME),
        ("ilya-repin_barge-haulers.jpg", RESIZED, JoinedBy.BARE_NAME),
        ("ilya-repin_barge-haulers_resize768.jpg", RESIZED, JoinedBy.BARE_NAME),
        ("Cubism/juan-gris_glass_1.jpg", GRIS, JoinedBy.PATH),
    ],
)
def test_an_artwork_is_found_by_the_surest_of_its_names(named: str, meant: NamedArtwork, by: JoinedBy) -> None:
    found = INDEX.find(named)

    assert (found.artwork, found.by) == (meant, by)


def test_a_name_that_fits_two_artworks_finds_neither() -> None:
    found = INDEX.find("elsewhere/Juan_Gris-glass 1_resize768.jpg")

    assert found.artwork is None
    assert [artwork.id for artwork in found.artworks] == [GRIS.id, GRIS_AGAIN.id]


def test_of_copies_of_one_picture_the_first_is_meant() -> None:
    copies = [
        artwork(number, f"{style}/a_b.jpg", key=f"{style}-a_b", group="same") for number, style in enumerate(["Cubism", "Realism"], 7)
    ]

    assert OriginalIndex(copies).find("a_b_resize768.jpg").artwork == copies[0]


@pytest.mark.parametrize("named", ["", "/", "..", "nobody_nothing.jpg", "a\0b.jpg"])
def test_what_nobody_registered_is_not_found(named: str) -> None:
    assert INDEX.find(named).artworks == ()


@pytest.mark.parametrize(
    ("named", "stem", "bare"),
    [
        ("SDXL/a_b_resize768_generated.jpg", "a-b-resize768-generated", "a-b"),
        ("a_b-1913.jpg", "a-b-1913", "a-b-1913"),
        ("a_b(1).jpg", "a-b(1)", "a-b(1)"),
        ("a_no.-5.jpg", "a-no-5", "a-no-5"),
        ("generated.jpg", "generated", "generated"),
        ("a_1024x1024.png", "a-1024x1024", "a"),
        ("a_radical.png", "a-radical", "a"),
    ],
)
def test_marks_are_taken_off_and_years_are_not(named: str, stem: str, bare: str) -> None:
    assert (stem_of(named), bare_stem(named)) == (stem, bare)
