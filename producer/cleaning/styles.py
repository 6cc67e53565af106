"""One spelling for each style: `Post_Impressionism` the folder and "Post-Impressionism" the label are "Post Impressionism"."""

from __future__ import annotations

import re
from functools import lru_cache

#: WikiArt's own 27, spelled as its folders are, with blanks.
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
    """The style's one spelling; None for a label that is not a style.

    WikiArt's styles are recognised whatever their case and hyphens; others keep their letters, with a capital if they have none.
    """
    name = _SEPARATORS.sub(" ", label).strip()
    if name.casefold() in NO_STYLE:
        return None
    known = _CANONICAL.get(name.casefold())
    return known or (name[0].upper() + name[1:] if name.islower() else name)
