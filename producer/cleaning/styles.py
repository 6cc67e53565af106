"""One spelling for each style: `Post_Impressionism` the folder and "Post-Impressionism" the label are "Post Impressionism"."""

from __future__ import annotations

import re
from functools import lru_cache

#: WikiArt's own 27, as its folders spell them with blanks.
WIKIART_STYLES = (
    "Abstract Expressionism",
    "Action painting",
    "Analytical Cubism",
    "Art Nouveau Modern",
    "Baroque",
    "Color Field Painting",
    "Contemporary Realism",
    "Cubism",
    "Early Renaissance",
    "Expressionism",
    "Fauvism",
    "High Renaissance",
    "Impressionism",
    "Mannerism Late Renaissance",
    "Minimalism",
    "Naive Art Primitivism",
    "New Realism",
    "Northern Renaissance",
    "Pointillism",
    "Pop Art",
    "Post Impressionism",
    "Realism",
    "Rococo",
    "Romanticism",
    "Symbolism",
    "Synthetic Cubism",
    "Ukiyo e",
)

#: Folder and label names that stand for the lack of a style.
NO_STYLE = frozenset(
    {"", "unclassified", "unknown", "uncategorized", "uncategorised", "none", "nan", "null", "n a", "unlabeled", "unlabelled"}
)

_SEPARATORS = re.compile(r"[\s_\-/()]+")
_CANONICAL = {style.casefold(): style for style in WIKIART_STYLES}


@lru_cache(maxsize=4096)
def style_name(label: str) -> str | None:
    """The style's one spelling; None for what is no style.

    WikiArt's styles are known by name whatever their case and hyphens; others keep their letters, with a capital if they have none.
    """
    plain = _SEPARATORS.sub(" ", label).strip()
    if plain.casefold() in NO_STYLE:
        return None
    known = _CANONICAL.get(plain.casefold())
    return known or (plain[0].upper() + plain[1:] if plain.islower() else plain)
