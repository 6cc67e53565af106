from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.cleaning.file_names import parse_file_name
from producer.cleaning.spelling import is_broken, repair_spelling

#: Small letters of the scripts that names are written in; without IPA and the micro sign, which reads as a continuation byte.
_LETTERS = st.characters(categories=["Ll"], min_codepoint=0x61, max_codepoint=0x23F, exclude_characters="µ")
_GREEK_OR_CYRILLIC = st.characters(categories=["Ll"], min_codepoint=0x3B1, max_codepoint=0x45F)
_KANJI = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
_SLUGS = st.text(_LETTERS | _GREEK_OR_CYRILLIC | _KANJI | st.sampled_from("-0123456789"), min_size=1)


def broken(name: str) -> str:
    return name.encode().decode("latin-1").lower()


@given(_SLUGS)
def test_a_name_whose_encoding_was_broken_and_lower_cased_is_repaired(slug: str) -> None:
    assert repair_spelling(broken(slug)) == unicodedata.normalize("NFC", slug)


@given(_SLUGS)
def test_a_name_broken_twice_over_is_repaired(slug: str) -> None:
    assert repair_spelling(broken(broken(slug))) == unicodedata.normalize("NFC", slug)


@given(_SLUGS)
def test_an_intact_name_is_unchanged(slug: str) -> None:
    assert repair_spelling(slug) == unicodedata.normalize("NFC", slug)
    assert not is_broken(slug)


@given(_SLUGS)
def test_a_broken_file_and_its_right_row_have_one_key(slug: str) -> None:
    right = f"Cubism/{slug}x_title-1900.jpg"
    assert parse_file_name(f"Cubism/{broken(slug)}x_title-1900.jpg").key == parse_file_name(right).key


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("joaquã\xadn-sorolla", "joaquín-sorolla"),
        ("arnold-bã¶cklin", "arnold-böcklin"),
        ("georges-lacombeâ\xa0", "georges-lacombe\xa0"),
        ("ã\x89mile-bernard", "émile-bernard"),
        ("Ã\x89mile Bernard", "Émile Bernard"),
        ("joaqu#U00edn-sorolla", "joaquín-sorolla"),
        ("cafe\u0301", "café"),
        ("tōshūsai-sharaku", "tōshūsai-sharaku"),
        ("café\xa0noir", "café\xa0noir"),
        ("café\u2019s", "café\u2019s"),
        ("\ud800lone", "?lone"),
    ],
)
def test_broken_names_of_real_catalogues_are_repaired(name: str, right: str) -> None:
    assert repair_spelling(name) == right


def test_a_no_break_space_at_the_end_of_an_artist_is_no_part_of_the_key() -> None:
    assert parse_file_name("Symbolism/georges-lacombeâ\xa0_death.jpg").key == "georges-lacombe_death"
