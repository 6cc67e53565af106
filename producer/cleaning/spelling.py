r"""Names whose UTF-8 was read as Latin-1 and then lower-cased: `joaquã\xadn-sorolla` for `joaquín-sorolla`.

Lower-casing moved the lead bytes C3..DE to E3..FE, so plain decoding fails. A lead byte that moved still says so: what
follows it has as many continuation bytes as its old self asked for, and lower-casing does not touch those. Read this way the damage is
undone without loss.
"""

from __future__ import annotations

import re
import unicodedata

#: The distance between a capital and its small letter in Latin-1.
_LOWERED = 0x20
#: Leads of two-byte characters that no name is written with (IPA and modifier letters): é, ê, ë before a no-break space are what they seem.
_UNLIKELY = frozenset({0xC9, 0xCA, 0xCB})
#: Names were broken up to this many times over.
_ROUNDS = 3
#: How unzip writes characters that it cannot: `#U00ed`.
_ESCAPE = re.compile(r"#U([0-9a-fA-F]{4})")


def repaired(name: str) -> str:
    """The name as it was before its encoding was broken, in NFC; a sound name comes back as it is (in NFC)."""
    if name.isascii() and "#U" not in name:
        return name
    name = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name)
    for _ in range(_ROUNDS):
        better = _decoded(name)
        if better == name:
            break
        name = better
    return unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())


def is_broken(name: str) -> bool:
    """Whether repair changes more than the normal form."""
    return repaired(name) != unicodedata.normalize("NFC", name)


def _decoded(name: str) -> str:
    lowered = name == name.lower()
    parts, place = [], 0
    while place < len(name):
        character, length = _character(name, place)
        parts.append(character.lower() if lowered else character)
        place += length
    return "".join(parts)


def _character(name: str, place: int) -> tuple[str, int]:
    """The character that begins at `place` and how many characters of the broken name spell it."""
    for lead, length in _leads(ord(name[place])):
        tail = [ord(character) for character in name[place + 1 : place + length]]
        if len(tail) == length - 1 and all(0x80 <= byte < 0xC0 for byte in tail):  # noqa: PLR2004  # UTF-8's continuation bytes
            try:
                return bytes([lead, *tail]).decode(), length
            except UnicodeDecodeError:
                continue
    return name[place], 1


def _leads(code: int) -> list[tuple[int, int]]:
    """UTF-8 lead bytes that may stand behind a character, each with the length of its sequence, longest first (RFC 3629, section 4)."""
    leads = []
    if 0xF0 <= code <= 0xF4:  # noqa: PLR2004
        leads.append((code, 4))
    if 0xE0 <= code <= 0xEF:  # noqa: PLR2004
        leads.append((code, 3))
    if 0xC2 <= code <= 0xDF:  # noqa: PLR2004
        leads.append((code, 2))
    if 0xE2 <= code <= 0xFE and code - _LOWERED not in _UNLIKELY:  # noqa: PLR2004
        leads.append((code - _LOWERED, 2))
    return leads
