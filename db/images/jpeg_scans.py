"""Where the scans of a JPEG lie in its file and what they cover, without decoding them (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: The marker that ends a scan's data: neither a stuffed zero, nor a restart, nor a fill byte before another marker.
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
#: A marker that has a segment, or the end of the image.
_SEGMENT = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")

_SOI, _EOI, _SOS, _DRI = 0xD8, 0xD9, 0xDA, 0xDD
#: Frames in Huffman code: baseline, extended, progressive.
_HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)
_PROGRESSIVE = 0xC2
#: All that begin a frame; C4, C8 and CC are something else.
_FRAMES = tuple(code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC))


@dataclass(frozen=True, kw_only=True)
class Component:
    """One component of the frame: its sampling factors."""

    horizontal: int
    vertical: int


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One scan: which components and coefficients it carries, and where its data lie."""

    components: tuple[int, ...]
    #: First and last coefficient, in zigzag order.
    first: int
    last: int
    #: Lowest bit that the scan brings; 0 when nothing is left to refine.
    lowest_bit: int
    #: Its entropy-coded data in the file, without the marker that ends them.
    start: int
    end: int
    #: MCUs between two restart markers; 0 for none.
    restart_interval: int


@dataclass(kw_only=True)
class JpegLayout:
    """The frame and the scans of the first image in a JPEG file."""

    width: int = 0
    height: int = 0
    progressive: bool = False
    #: By identifier, in the frame's order.
    components: dict[int, Component] = field(default_factory=dict)
    scans: list[Scan] = field(default_factory=list)

    @property
    def mcu(self) -> tuple[int, int]:
        """Width and height, in pixels, of an MCU of all components."""
        return 8 * max(one.horizontal for one in self.components.values()), 8 * max(one.vertical for one in self.components.values())

    def missing_restarts(self, data: bytes) -> tuple[int, int]:
        """How many restart markers are missing, and how many there should be, over all scans."""
        missing = expected = 0
        for scan in self.scans:
            if scan.restart_interval:
                due = -(-self._mcus(scan) // scan.restart_interval) - 1
                expected += due
                missing += max(0, due - len(_RESTART.findall(data, scan.start, scan.end)))
        return missing, expected

    def is_covered(self) -> bool:
        """Whether the scans bring every component, and of the first one every coefficient down to its last bit."""
        if set(self.components) - {one for scan in self.scans for one in scan.components}:
            return False
        if not self.progressive:
            return True
        luma = next(iter(self.components))
        exact: set[int] = set()
        for scan in self.scans:
            if luma in scan.components and scan.lowest_bit == 0:
                exact |= set(range(scan.first, scan.last + 1))
        return len(exact) == 64  # noqa: PLR2004  # coefficients of a block

    def _mcus(self, scan: Scan) -> int:
        width, height = self.mcu
        if len(scan.components) == 1:  # not interleaved: an MCU is one block of the component
            one = self.components[scan.components[0]]
            columns = -(-self.width * one.horizontal * 8 // width)
            rows = -(-self.height * one.vertical * 8 // height)
            return -(-columns // 8) * -(-rows // 8)
        return -(-self.width // width) * -(-self.height // height)


def read_layout(data: bytes) -> JpegLayout | None:
    """The layout of a JPEG in Huffman code, as far as its segments make sense; None without a scan, and for arithmetic and lossless ones.

    Between segments, bytes that are no marker are passed over, as libjpeg does.
    """
    layout = JpegLayout()
    if data[:2] != bytes((0xFF, _SOI)):
        return None
    try:
        _read(data, layout)
    except (IndexError, ValueError, KeyError):
        return None
    return layout if layout.scans and layout.width and layout.height else None


def _read(data: bytes, layout: JpegLayout) -> None:
    interval, position = 0, 2
    while (marker := _SEGMENT.search(data, position)) is not None:
        code, position = data[marker.end() - 1], marker.end()
        if code == _EOI:
            return
        length = int.from_bytes(data[position : position + 2])
        body = data[position + 2 : position + length]
        position += length
        if code in _FRAMES:
            if code not in _HUFFMAN_FRAMES:
                raise ValueError("not in Huffman code")
            if layout.components:  # another image, or nonsense
                return
            _read_frame(layout, code, body)
        elif code == _DRI:
            interval = int.from_bytes(body[:2])
        elif code == _SOS:
            end = _SCAN_END.search(data, position)
            layout.scans.append(_scan(body, position, end.start() if end else len(data), interval))
            position = layout.scans[-1].end


def _read_frame(layout: JpegLayout, code: int, body: bytes) -> None:
    layout.progressive = code == _PROGRESSIVE
    layout.height, layout.width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    for start in range(6, 6 + 3 * body[5], 3):
        sampling = body[start + 1]
        layout.components[body[start]] = Component(horizontal=sampling >> 4, vertical=sampling & 15)
    if any(not (one.horizontal and one.vertical) for one in layout.components.values()):
        raise ValueError("a component without samples")


def _scan(body: bytes, start: int, end: int, interval: int) -> Scan:
    count = body[0]
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    return Scan(
        components=tuple(body[1 : 1 + 2 * count : 2]),
        first=first,
        last=last,
        lowest_bit=bits & 15,
        start=start,
        end=end,
        restart_interval=interval,
    )
