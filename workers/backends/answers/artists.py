"""Artists that language models like to name: by how a name is led up to, and by a list of those that are named most."""

# ruff: noqa: SIM905 - a word list reads best as text

from __future__ import annotations

import re

from workers.backends.redaction import fold

#: Names that mean one person wherever they stand, and no thing, place or colour.
_FAMOUS = frozenset(
    "monet picasso rembrandt hokusai klimt vermeer caravaggio botticelli michelangelo cezanne gauguin matisse dali magritte warhol basquiat "
    "kandinsky pollock rothko renoir degas manet pissarro sisley seurat signac rousseau chagall miro modigliani schiele kokoschka "
    "durer holbein bosch bruegel brueghel rubens velazquez goya delacroix gericault courbet corot ingres "
    "gainsborough hogarth sargent okeeffe kahlo lichtenstein hockney giotto raffael tiepolo "
    "canaletto titian tintoretto veronese mucha beksinski giger rutkowski artgerm kinkade mondrian malevich escher hiroshige utamaro "
    "repin aivazovsky shishkin levitan vrubel roerich waterhouse rossetti millais bouguereau fragonard watteau".split()
)

_FULL = re.compile(
    r"\b(?:van gogh|da vinci|leonardo|caspar david friedrich|winslow homer|diego rivera|francis bacon|j ?m ?w turner|william turner|joseph turner|"
    r"o keeffe|toulouse lautrec|el greco|de chirico|de kooning|van eyck|van dyck|fra angelico|della francesca|paul klee|max ernst|william blake|"
    r"john martin|edward hopper|edvard munch|john constable|rafael sanzio|burne jones|alma tadema|studio ghibli|miyazaki)\b"
)

_PARTICLE = r"(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|el|ten|ter|y)"
_NAME = rf"[A-Z][\w’'-]+(?:\s+(?:{_PARTICLE}\s+)*[A-Z][\w’'-]*\.?)*"
_STYLE_OF = re.compile(rf"\b(?:(?:style|manner|vein|spirit|tradition|works?|hand|brush) of|inspired by|à la|homage to|reminiscent of)\s+((?:{_PARTICLE}\s+)?{_NAME})")
_BY = re.compile(rf"\b(?:by|after)\s+((?:{_PARTICLE}\s+)?{_NAME})")

#: Words that make what is capitalised a style, an age or a place of art, and no person.
_STYLE = re.compile(
    r"(?:ism|ist|esque|ique|ic|an|ese|ish|punk|core|wave)s?$|^(?:art|arts|pop|op|post|neo|deco|nouveau|baroque|renaissance|rococo|gothic|school|"
    r"era|period|age|dynasty|century|bauhaus|fauve|print|prints|painting|murals?|ukiyo|sumi|folk|island|crete|rome|greece|egypt|japan|china|india|"
    r"persia|byzantium|venice|florence|paris|london|america|africa|asia|europe|old|masters?|the|night|moonlight|candlelight|light|dawn|dusk|"
    r"nature|empire|kingdom|high|early|late|golden|bronze|iron|stone|steam|mars|venus|edo|ming|meiji|weimar|belle|epoque|byzantine|french|dutch|greek|swiss|thai|celtic|viking|aztec|maya|inca|"
    r"mughal|tang|song|tudor|regency|zen|tibet|nepal|siam)$"
)


def names_an_artist(text: str) -> bool:
    """Whether a text names some artist: a famous one, or whoever stands after "by", "in the style of" and their like."""
    plain = " ".join(re.findall(r"[^\W_]+", fold(text)))
    if _FULL.search(plain) or any(word in _FAMOUS for word in plain.split()):
        return True
    if any(_is_name(match[1], fewest=1) for match in _STYLE_OF.finditer(text)):
        return True
    return any(_is_name(match[1], fewest=2) for match in _BY.finditer(text))


def _is_name(phrase: str, *, fewest: int) -> bool:
    words = [word for word in fold(phrase).replace("-", " ").split() if not re.fullmatch(_PARTICLE, word)]
    return len(words) >= fewest and not any(_STYLE.search(word) for word in words)
