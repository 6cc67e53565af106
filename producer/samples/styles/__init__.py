"""Styles, one per file; a new one is added here."""

from __future__ import annotations

from producer.samples.styles.art_nouveau import ArtNouveau
from producer.samples.styles.baroque import Baroque
from producer.samples.styles.color_field import ColorField
from producer.samples.styles.cubism import Cubism
from producer.samples.styles.expressionism import Expressionism
from producer.samples.styles.fauvism import Fauvism
from producer.samples.styles.impressionism import Impressionism
from producer.samples.styles.minimalism import Minimalism
from producer.samples.styles.naive import Naive
from producer.samples.styles.pointillism import Pointillism
from producer.samples.styles.pop_art import PopArt
from producer.samples.styles.style import Artist, Style
from producer.samples.styles.ukiyo_e import UkiyoE

STYLES: tuple[Style, ...] = (
    Impressionism(),
    UkiyoE(),
    Cubism(),
    ArtNouveau(),
    Pointillism(),
    PopArt(),
    Baroque(),
    Fauvism(),
    Minimalism(),
    Expressionism(),
    Naive(),
    ColorField(),
)

__all__ = ["STYLES", "Artist", "Style"]
