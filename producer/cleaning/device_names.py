"""File names that cameras, scanners, phones and programs give: they name neither an artist nor a title."""

from __future__ import annotations

import re

#: Words that such names are made of, beside digits. One word of any other kind makes it a name that a person gave.
DEVICE_WORDS = frozenset(
    """
    img image images imgp imag mg dsc dscn dscf dsch dscv csc cimg pict pic pics pxl mvimg vid video mov mvi sam gopr gp dji hpim sdc stp
    sta cam dcim eos wp lrm camera capture snap snapshot frame burst cover portrait night pano panorama hdr raw mp ts bokeh motion jpg jpeg
    png
    wa fb whatsapp signal telegram received sent instagram snapchat viber wechat mmexport msg attachment cloud download downloads
    scan scans scanned scanner page pages untitled unnamed unbenannt screenshot screencapture screen shot fullsizerender bildschirmfoto
    new file document doc export adobe express output result rendered layer at am pm
    photo photos foto fotos bild bilder picture pictures painting artwork kunst art work
    copy kopie copie edited edit resized resize small thumb thumbnail thumbnails large medium original final crop cropped generated
    """.split()  # noqa: SIM905  # one text reads better than 150 strings
)
#: How the names of whole programs begin; what follows is often the name of another program.
_BEGINNING = re.compile(
    r"^(?:screen[ _-]?shot|screencapture|screen[ _-]?recording|bildschirmfoto|whatsapp[ _-]|photo on \d|scan(?:ned)?[ _-]|fullsizerender)",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]+")
_COPY_OF = re.compile(r"^(?:copy of|kopie von|copie de|copia de) ", re.IGNORECASE)
#: One or two letters before a long number: P1010001, R0012345, L1000123, MG_0001.
_COUNTER = re.compile(r"^_*[a-z]{1,3}[ _-]?\d{4,}(?:[ _-]?\(?\d{1,3}\)?)?$", re.IGNORECASE)
#: Capitals before a number: KODAK_0012, STA71234. Slugs are written small.
_LABEL = re.compile(r"^_*[A-Z]{2,8}[A-Z0-9]*[ _-]?\d{3,}(?:[ _-]?[A-Za-z]?\d*)?$")
#: UUIDs, and runs of hexadecimal digits with both kinds of characters, as of a hash.
_RANDOM = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
    r"|(?<![^\W_])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{16,}(?![^\W_])",
    re.IGNORECASE,
)
#: What networks call a picture: a long run of letters and digits in no order, at least four changes between the two.
_TOKEN = re.compile(r"^[A-Za-z0-9]{12,}$")
_CHANGES = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_MANY_CHANGES = 4
#: Digits that make single letters a counter: 82719273_1029384756_n.
_MANY_DIGITS = 4


def is_device_name(stem: str) -> bool:
    """Whether a file name without its extension was given by a device or a program, or only counts: `IMG_1001`, `scan_001`, a UUID."""
    if any(character.isdigit() for character in stem):
        if _COUNTER.match(stem) or _LABEL.match(stem) or (_TOKEN.match(stem) and len(_CHANGES.findall(stem)) >= _MANY_CHANGES):
            return True
        stem = _RANDOM.sub("", stem)
    if _BEGINNING.match(stem):
        return True
    words = [word.casefold() for word in _LETTERS.findall(_COPY_OF.sub("", stem))]
    if all(len(word) == 1 for word in words):
        return not words or sum(character.isdigit() for character in stem) >= _MANY_DIGITS
    # A single letter beside such words belongs to a counter: IMG_E1234, photo_1a.
    return all(word in DEVICE_WORDS or len(word) == 1 for word in words)
