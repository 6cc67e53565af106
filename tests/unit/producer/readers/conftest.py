from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from producer.readers import CatalogueUnreadable, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def png() -> Callable[[int], bytes]:
    """An image by its number: equal numbers give equal bytes."""

    def encode(number: int) -> bytes:
        data = io.BytesIO()
        Image.new("RGB", (12, 8), (number * 40 % 256, 90, 120)).save(data, "PNG")
        return data.getvalue()

    return encode


@pytest.fixture
def pictures(tmp_path: Path, png: Callable[[int], bytes]) -> Path:
    """A folder with `img/one.png` and `img/two.png`."""
    for number, name in enumerate(("one", "two")):
        path = tmp_path / "img" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(number))
    return tmp_path


@pytest.fixture
def unreadable() -> Callable[[Path], str]:
    """The error of a catalogue that cannot be read: one line that names the file and what to do."""

    def read(path: Path) -> str:
        with pytest.raises(CatalogueUnreadable) as caught:
            read_catalogue(path)
        message = str(caught.value)
        assert "\n" not in message
        assert path.name in message
        assert ": " in message.replace(str(path), ""), "the error names no mend"
        assert len(message.replace(str(path), "")) < 450
        return message

    return read
