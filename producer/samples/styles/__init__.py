"""Styles, one per file; a new one is added here."""

from __future__ import annotations

from producer.samples.styles.color_field import ColorField
from producer.samples.styles.cubism import Cubism
from producer.samples.styles.expressionism import Expressionism
from producer.samples.styles.impressionism import Impressionism
from producer.samples.styles.minimalism import Minimalism
from producer.samples.styles.pointillism import Pointillism
from producer.samples.styles.pop_art import PopArt
from producer.samples.styles.style import Artist, Style
from producer.samples.styles.ukiyo_e import UkiyoE

STYLES: tuple[Style, ...] = (Pointillism(), Cubism(), UkiyoE(), Impressionism(), ColorField(), Minimalism(), PopArt(), Expressionism())

__all__ = ["STYLES", "Artist", "Style"]
