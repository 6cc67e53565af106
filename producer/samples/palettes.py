"""Palettes: eight colours by the part they play; the mean colour of each stands apart from all others."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """Colours by part; `main` stands out from `sky`, `glow`, `far` and `ground`, whatever lies behind a thing."""

    #: How a caption says it: "in autumn colours".
    name: str
    sky: Colour
    #: The sky over the horizon.
    glow: Colour
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


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """The first colour with a share of the second in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def shaded(colour: Colour, palette: Palette, shade: float) -> Colour:
    """Towards the palette's light for positive shades, towards its dark for negative ones."""
    return mixed(colour, palette.light if shade > 0 else palette.dark, min(1.0, abs(shade)))


def _palette(name: str, colours: str) -> Palette:
    sky, glow, far, ground, main, accent, dark, light = ((int(c[:2], 16), int(c[2:4], 16), int(c[4:], 16)) for c in colours.split())
    return Palette(name=name, sky=sky, glow=glow, far=far, ground=ground, main=main, accent=accent, dark=dark, light=light)


#: By name; the colours are sky, glow, far, ground, main, accent, dark, light.
PALETTES: dict[str, Palette] = {
    palette.name: palette
    for palette in (
        _palette("dawn", "f4b5a4 ffdfc4 d99aa8 e0a08e 7d2a5a f0783c 45203f fff3e2"),
        _palette("sea blue", "5ca7d6 98c9e6 4386b8 2272ab f8f3e4 ee5a36 11304f fbfdf8"),
        _palette("autumn", "e2b765 f2d794 c08a3e b27a2c 84170f e8701a 38190c fcf0cb"),
        _palette("meadow", "a9dfb4 e2f3bd 74bd62 63b04a c81e66 f8cf2f 143f25 f9fde6"),
        _palette("night", "17224f 35468a 1d2a63 111a42 f6d862 e9795a 070a1c e4ecff"),
        _palette("rose and grey", "cfcad2 ebe1e4 b7afbb a39caa b3234f ee9aa2 37303f fbf6f7"),
        _palette("desert", "f8dc90 fff0c4 efb95e e39a3c 6a1f2c 1b8c8a 45180f fff7de"),
        _palette("emerald and gold", "2c8a6c 7dbf8f 1f6f56 115743 f5c732 d8433f 06261f f8f3d2"),
        _palette("crimson", "c4283a e8694f 98182d 7c1026 fbe6bd f6a62a 2a0510 fff2de"),
        _palette("violet dusk", "7350b4 c084cf 5b3c9c 47308a ffdb8f ff8560 1c0f3e f8ecff"),
    )
}
