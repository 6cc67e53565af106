"""Artists that language models like to name: by how a name is led up to, and by a list of those that are named most."""

# ruff: noqa: SIM905, RUF001 - a word list reads best as text, and the typographic apostrophe is meant

from __future__ import annotations

import re

from workers.backends.redaction import fold

#: Names that mean one person wherever they stand, and no thing, place or colour.
_FAMOUS = frozenset(
    "monet picasso rembrandt hokusai klimt vermeer caravaggio botticelli michelangelo cezanne gauguin matisse dali magritte warhol "
    "basquiat kandinsky pollock rothko renoir degas manet pissarro sisley seurat signac rousseau chagall miro modigliani schiele kokoschka "
    "durer holbein bosch bruegel brueghel rubens velazquez goya delacroix gericault courbet corot ingres gainsborough hogarth sargent "
    "okeeffe kahlo lichtenstein hockney giotto raffael tiepolo canaletto titian tintoretto veronese mucha beksinski giger rutkowski "
    "artgerm kinkade "
    "mondrian malevich escher hiroshige utamaro repin aivazovsky shishkin levitan vrubel roerich rossetti millais bouguereau "
    "fragonard watteau miyazaki leonardo".split()
)

#: Names of several words, as they are without case, accents and punctuation.
_FAMOUS_TOGETHER = (
    *("van gogh", "da vinci", "van eyck", "van dyck", "caspar david friedrich", "winslow homer", "diego rivera", "francis bacon"),
    *("j m w turner", "jmw turner", "william turner", "joseph turner", "o keeffe", "toulouse lautrec", "el greco", "de chirico"),
    *("de kooning", "fra angelico", "della francesca", "paul klee", "max ernst", "william blake", "john martin", "edward hopper"),
    *("edvard munch", "john constable", "burne jones", "alma tadema", "studio ghibli"),
)

_PARTICLE = r"(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|el|ten|ter|y)"
_NAME = rf"(?:{_PARTICLE}\s+)?[A-Z][\w’'-]+(?:\s+(?:{_PARTICLE}\s+)*[A-Z][\w’'-]*\.?)*"
_STYLE_OF = re.compile(
    rf"\b(?:(?:style|manner|vein|spirit|tradition|works?|hand|brush) of|inspired by|à la|homage to|reminiscent of)\s+({_NAME})"
)
_BY = re.compile(rf"\b(?:by|after)\s+({_NAME})")

#: Words that make what is capitalised a style, an age, a place of art or an hour, and no person: by their ending, and by themselves.
_STYLE_ENDING = re.compile(r"(?:ism|ist|esque|ique|ic|an|ese|ish|punk|core|wave)s?$")
_STYLE_WORDS = frozenset(
    "art arts pop op post neo deco nouveau baroque renaissance rococo gothic school era period age dynasty century bauhaus fauve print "
    "prints painting mural murals ukiyo sumi folk island crete rome greece egypt japan china india persia byzantium byzantine venice "
    "florence paris london america africa asia europe french dutch greek swiss thai celtic viking aztec maya inca mughal tang song tudor "
    "regency zen tibet nepal siam old master masters the night moonlight candlelight light dawn dusk nature empire kingdom high early late "
    "golden bronze iron stone steam mars venus edo ming meiji weimar belle epoque rain sea storm".split()
)


def names_an_artist(text: str) -> bool:
    """Whether a text names some artist: a famous one, or whoever stands after "by", "in the style of" and their like."""
    words = re.findall(r"[^\W_]+", fold(text))
    plain = f" {' '.join(words)} "
    if not _FAMOUS.isdisjoint(words) or any(f" {name} " in plain for name in _FAMOUS_TOGETHER):
        return True
    if any(_is_name(match[1], fewest=1) for match in _STYLE_OF.finditer(text)):
        return True
    return any(_is_name(match[1], fewest=2) for match in _BY.finditer(text))


def _is_name(phrase: str, *, fewest: int) -> bool:
    words = [word for word in fold(phrase).replace("-", " ").split() if not re.fullmatch(_PARTICLE, word)]
    return len(words) >= fewest and not any(word in _STYLE_WORDS or _STYLE_ENDING.search(word) for word in words)
