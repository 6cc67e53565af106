"""Sample artworks: painted by a program from a seed, with their truth, in the layout of a real catalogue."""

from __future__ import annotations

from producer.samples.painter import Painting, paint
from producer.samples.palettes import PALETTES, Palette
from producer.samples.scene import Role, Scene, Shape
from producer.samples.styles import STYLES, Artist, Style
from producer.samples.subjects import SUBJECTS, Subject
from producer.samples.tree import SampleTree, paint_tree

__all__ = [
    "PALETTES",
    "STYLES",
    "SUBJECTS",
    "Artist",
    "Painting",
    "Palette",
    "Role",
    "SampleTree",
    "Scene",
    "Shape",
    "Style",
    "Subject",
    "paint",
    "paint_tree",
]
