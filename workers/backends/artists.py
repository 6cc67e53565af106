"""Well-known artists whose names captioners put into captions of other people's works, and chat models into prompts."""

# ruff: noqa: SIM905 - word lists read best as text

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Surnames that mean nothing else, and full names of those whose surname does (Hopper, Munch, Wood).
_NAMES = (
    "aivazovsky|albrecht durer|alfred sisley|alma tadema|alphonse mucha|andy warhol|artgerm|basquiat|beksinski|bierstadt|bonnard|"
    "botticelli|boucher|bouguereau|braque|bruegel|brueghel|burne jones|canaletto|caravaggio|caspar david friedrich|cassatt|cezanne|"
    "chagall|chardin|cimabue|corot|correggio|courbet|cranach|da vinci|dali|daumier|david hockney|de chirico|de kooning|degas|"
    "delacroix|delaunay|della francesca|derain|diego rivera|donatello|dubuffet|duchamp|durer|edgar degas|edvard munch|edward hopper|"
    "egon schiele|el greco|ensor|escher|feininger|fra angelico|fragonard|francis bacon|frans hals|frida kahlo|fuseli|gainsborough|"
    "gauguin|gentileschi|gericault|ghirlandaio|giacometti|giger|giorgione|giotto|goya|grant wood|grosz|hieronymus bosch|hiroshige|"
    "hockney|hogarth|hokusai|holbein|ingres|j m w turner|jackson pollock|jan van eyck|jasper johns|jmw turner|john constable|"
    "john martin|kahlo|kandinsky|kinkade|kirchner|klimt|kokoschka|kuniyoshi|lautrec|leonardo|leonardo da vinci|levitan|lichtenstein|"
    "magritte|malevich|manet|mantegna|masaccio|matisse|max ernst|memling|michelangelo|millais|miro|miyazaki|modigliani|mondrian|monet|"
    "morisot|motherwell|murillo|norman rockwell|o'keeffe|okeeffe|parmigianino|paul klee|picabia|picasso|piero della francesca|"
    "pieter bruegel|pissarro|pollock|poussin|raphael sanzio|rauschenberg|redon|rembrandt|renoir|repin|ribera|rodchenko|roerich|"
    "rossetti|rothko|rubens|rutkowski|salvador dali|schiele|seurat|shishkin|signac|singer sargent|sisley|soutine|studio ghibli|"
    "tiepolo|tintoretto|titian|toulouse lautrec|toulouse-lautrec|turner|uccello|utagawa|utamaro|utrillo|van der weyden|van dyck|"
    "van eyck|van gogh|vasarely|velazquez|vermeer|veronese|vigee le brun|vlaminck|vrubel|vuillard|warhol|watteau|whistler|"
    "william blake|winslow homer|zurbaran"
).split("|")

#: First names that go with them.
FIRST_NAMES = frozenset(
    "vincent claude pablo paul henri edgar edouard pierre auguste salvador rembrandt johannes gustav katsushika wassily piet marc rene "
    "andy jackson "
    "frida georgia camille georges jan leonardo sandro francisco diego albrecht jmw william utagawa kitagawa ando george toulouse".split()
)

_LONGEST = 4
_KNOWN = frozenset(tuple(re.findall(r"[a-z]+", name.replace("'", ""))) for name in _NAMES)


#: First words of the names, and of their plurals.
_BEGINNINGS = frozenset(name[0] for name in _KNOWN) | frozenset(f"{name[0]}s" for name in _KNOWN)


def artist_at(words: Sequence[str], at: int) -> int:
    """How many words from `at` on are the name of one of them, 0 if none.

    The words are given without case and accents (`redaction.fold`).
    """
    if words[at] not in _BEGINNINGS:
        return 0
    for count in range(min(_LONGEST, len(words) - at), 0, -1):
        name = tuple(words[at : at + count])
        if name in _KNOWN or (name[-1].endswith("s") and (*name[:-1], name[-1][:-1]) in _KNOWN):
            return count
    return 0
