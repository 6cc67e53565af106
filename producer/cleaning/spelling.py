r"""Names whose UTF-8 was read as Latin-1 and then lower-cased: `joaquã\xadn-sorolla` for `joaquín-sorolla`.

Lower-casing moved the lead bytes C3..DE to E3..FE, so plain decoding fails. A moved lead byte can still be
recognised: it is followed by as many continuation bytes as the original asked for, and lower-casing does not change those. Read this
way the damage is undone without loss.
"""

from __future__ import annotations

import re
import unicodedata

from producer.cleaning.code_pages import oddity, undo_code_pages

#: The distance between a capital and its small letter in Latin-1.
_LOWERED = 0x20
#: Leads of two-byte characters that no name is written with (IPA and modifier letters): é, ê, ë before a no-break space are intact.
_UNLIKELY = frozenset({0xC9, 0xCA, 0xCB})
#: Names were broken up to this many times.
_ROUNDS = 3
#: How unzip writes characters that it cannot represent: `#U00ed`.
_ESCAPE = re.compile(r"#U([0-9a-fA-F]{4})")


def repair_spelling(name: str) -> str:
    """The name as it was before its encoding was broken, in NFC; an intact name is returned unchanged (in NFC)."""
    if name.isascii() and "#U" not in name:
        return name
    name = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name)
    repaired = _repeated(name)
    if oddity(repaired):
        other = _repeated(undo_code_pages(name, _decoded))
        repaired = other if oddity(other) < oddity(repaired) else repaired
    return unicodedata.normalize("NFC", repaired.encode("utf-8", "replace").decode())


def is_broken(name: str) -> bool:
    """Whether repair changes more than the normal form."""
    return repair_spelling(name) != unicodedata.normalize("NFC", name)


def _repeated(name: str) -> str:
    for _ in range(_ROUNDS):
        decoded = _decoded(name)
        if decoded == name:
            break
        name = decoded
    return name


def _decoded(name: str) -> str:
    lowered = name == name.lower()
    parts, start = [], 0
    while start < len(name):
        character, length = _character(name, start)
        parts.append(character.lower() if lowered else character)
        start += length
    return "".join(parts)


def _character(name: str, start: int) -> tuple[str, int]:
    """The character that begins at `start` and how many characters of the broken name spell it."""
    for lead, length in _leads(ord(name[start])):
        tail = [ord(character) for character in name[start + 1 : start + length]]
        if len(tail) == length - 1 and all(0x80 <= byte < 0xC0 for byte in tail):  # noqa: PLR2004  # UTF-8's continuation bytes
            try:
                return bytes([lead, *tail]).decode(), length
            except UnicodeDecodeError:
                continue
    return name[start], 1


def _leads(code: int) -> list[tuple[int, int]]:
    """UTF-8 lead bytes that a character may stand for, each with the length of its sequence, longest first (RFC 3629, section 4)."""
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
