"""Palettes: seven colours by the part they play."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """Colours by part; `name` is how a caption says it."""

    name: str
    sky: Colour
    far: Colour
    ground: Colour
    main: Colour
    accent: Colour
    dark: Colour
    light: Colour

    def colour(self, part: str) -> Colour:
        """The colour of a part."""
        value: Colour = getattr(self, part)
        return value

    def all(self) -> tuple[Colour, ...]:
        """The colours from large areas to small ones."""
        return (self.sky, self.ground, self.far, self.main, self.accent, self.light, self.dark)


def _palette(name: str, *colours: str) -> Palette:
    sky, far, ground, main, accent, dark, light = ((int(c[:2], 16), int(c[2:4], 16), int(c[4:], 16)) for c in colours)
    return Palette(name=name, sky=sky, far=far, ground=ground, main=main, accent=accent, dark=dark, light=light)


PALETTES: dict[str, Palette] = {
    palette.name: palette
    for palette in (
        _palette("dawn", "f6d3b8", "c79bb0", "7fa38c", "d9705f", "f2b23e", "3d3350", "fff3df"),
        _palette("sea blue", "a9d2e6", "5f93b5", "2f6690", "e8eef0", "e4572e", "16324f", "fdfcf4"),
        _palette("autumn", "e9d8a6", "b5793c", "94692d", "ae2012", "ee9b00", "3b2415", "fbf3d5"),
        _palette("meadow", "bfe3ee", "78a969", "4f8a3c", "f1c40f", "d64570", "1f3d2b", "f7fbe9"),
        _palette("night", "1d2b53", "29366f", "16213e", "f4d35e", "e07a5f", "0b1020", "e6ecff"),
        _palette("rose and grey", "e3dfe6", "a9a3b5", "8c8496", "c9546c", "f0a6a0", "3a3440", "faf6f7"),
        _palette("desert", "f4e1c1", "d89c60", "c46d3b", "7a3b2e", "2a9d8f", "402218", "fff6e5"),
        _palette("emerald and gold", "d7e8d4", "3f8f6b", "1b5e4a", "d4a017", "b33951", "0f2f26", "f6f3df"),
    )
}
