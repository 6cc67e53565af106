from __future__ import annotations

import pytest

from producer.cleaning import parse_file_name, repair_spelling
from producer.cleaning.code_pages import CODE_PAGES
from producer.cleaning.spelling import is_broken

NAMES = ("grégoire-michonze", "joaquín-sorolla", "émile-bernard", "andré-bräuer", "françois", "ñandú-çelik")


def misread(name: str, code_page: str) -> str:
    """UTF-8 read in a code page; bytes that have no character there become control codes."""
    characters = (bytes([byte]).decode(code_page, "replace") for byte in name.encode())
    return "".join(chr(byte) if read == "\ufffd" else read for byte, read in zip(name.encode(), characters, strict=True))


@pytest.mark.parametrize("code_page", CODE_PAGES)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_was_read_in_a_wrong_code_page_is_repaired(name: str, code_page: str, times: int) -> None:
    broken = name
    for _ in range(times):
        broken = misread(broken, code_page)
    assert broken != name
    assert repair_spelling(broken) == name
    assert is_broken(broken)


def test_a_lower_cased_name_that_was_read_twice_as_cp866_is_repaired() -> None:
    assert repair_spelling(misread(misread("grã©goire-michonze", "cp866"), "cp866")) == "grégoire-michonze"
    broken = misread(misread("georges-lacombeâ\xa0", "cp866"), "cp866")
    assert parse_file_name(f"Symbolism/{broken}_death.jpg").key == "georges-lacombe_death"


@pytest.mark.parametrize(
    "name",
    [
        "хай-сад",
        "рав",
        "иван-шишкин",
        "αθήνα",
        "北斎",
        "d\u2019orsay",
        "café №5",
        "№5",
        "łódź",
        "žižka",
        "tōshūsai",
        "ÅNGSTRÖM",
        "straße",
        "œuvre",
    ],
)
def test_an_intact_name_of_any_alphabet_is_left_alone(name: str) -> None:
    assert repair_spelling(name) == name
    assert not is_broken(name)
