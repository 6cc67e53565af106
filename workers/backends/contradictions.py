"""What can not stand in one prompt: night and noon, snow and high summer, a crowd and an empty place.

Words are grouped by what they say about one aspect of a picture. Two texts contradict each other if both say something about an aspect and
it is
not the same. The caption counts as well: a brief does not ask for noon where the picture shows a night.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Aspect, then what can be said about it, then the words that say it; a word with a space is a phrase.
_ASPECTS: dict[str, dict[str, str]] = {
    "hour": {
        "dawn": "dawn|sunrise|daybreak|morning",
        "day": "noon|midday|daylight|afternoon|sunny|sunlit|sunlight|sunshine|day",
        "dusk": "dusk|sunset|evening|twilight|blue hour",
        "night": "night|midnight|moonlight|moonlit|moon|starlit|starry|stars|nocturnal|nighttime",
    },
    "season": {
        "spring": "spring|buds",
        "summer": "summer|poppies",
        "autumn": "autumn|autumnal|october|fall",
        "winter": "winter|wintry|snow|snowy|snowfall|frost|frosty|frozen|ice|icy|glacier",
    },
    "weather": {
        "rain": "rain|rainy|raining|downpour|monsoon",
        "snow": "snow|snowy|snowing|snowfall",
        "fog": "fog|foggy|mist|misty|haze|hazy",
        "storm": "storm|stormy|thunderstorm|thundercloud|thunderclouds|gale|lightning",
        "clear": "sunny|clear sky|blue sky|cloudless",
        "cloud": "overcast|cloudy",
    },
    "palette": {
        "grey": "monochrome|monochromatic|grisaille|greys|black and white|sepia|grayscale|greyscale",
        "muted": "muted|faded|subdued",
        "vivid": "acid|vivid|burning|vermilion|neon|saturated|emerald|multicolored|multicoloured|colorful|colourful|bright",
    },
    "viewpoint": {
        "above": "from above|from far above|aerial|bird's eye|overhead view|from orbit|like a map",
        "below": "from below|from the ground|worm's eye|low angle|overhead|towering",
        "close": "close up|closeup|close-up|cropped close",
        "far": "from far away|distant view|wide empty|huge sky|panorama|panoramic",
    },
    "density": {"full": "crowded|teeming|packed|bustling", "empty": "empty|emptiness|deserted|barren|sparse"},
    "surface": {
        "thick": "impasto|thick|ridges|palette knife",
        "thin": "washes|wash|glazes|glaze|watercolour|watercolor|translucent",
        "flat": "flat|unmodulated|woodcut",
        "dry": "pastel|chalk|charcoal|scumbled",
    },
    "sheen": {"matte": "matte|chalky|dusty", "glossy": "glossy|varnished|polished|lacquer|lacquered|jewel-like"},
    "edges": {
        "hard": ("bold outlines|crisp|sharp edges|hard edges|fine even outlines|cut edges"),
        "soft": ("soft edges|blurred|blurry|dissolving|dissolved|softened|softened edges|sfumato|trembling|lost edges|lost and found"),
    },
    "motion": {
        "still": "calm|still water|motionless|serene|quiet",
        "moving": ("turbulent|raging|stormy|storm|gale|restless|avalanche|eruption"),
    },
    "warmth": {
        "warm": "warm|golden|amber|candlelight|lamplight|gold tone",
        "cool": "cool|cold|silver|silvery|moonlight|blue hour|frosty",
    },
    "mood": {"calm": "calm|serene|tender|peaceful", "tense": "tense|rage|dread|violent"},
    "spirits": {"high": "festive|joy|joyful|cheerful|happy", "low": "melancholy|grief|solemn|sad|mournful"},
    "temperature": {"hot": "heat|desert|scorching|lava", "cold": "snow|snowy|ice|icy|frost|frozen|glacier|arctic|snowfall"},
}

Stances = frozenset[tuple[str, str]]


def _by_words() -> Mapping[str, Stances]:
    """What each word or phrase says."""
    said: dict[str, set[tuple[str, str]]] = {}
    for aspect, groups in _ASPECTS.items():
        for stance, phrases in groups.items():
            for phrase in phrases.split("|"):
                said.setdefault(phrase, set()).add((aspect, stance))
    return MappingProxyType({phrase: frozenset(pairs) for phrase, pairs in said.items()})


_SAID = _by_words()
_ANY = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, _SAID), key=len, reverse=True))})(?![\w-])")


def stances(text: str) -> Stances:
    """What a text says about each aspect, as pairs such as ("hour", "night")."""
    # "Still life" is no stillness.
    found = _ANY.findall(text.casefold().replace("still life", ""))
    return frozenset().union(*(_SAID[phrase] for phrase in found))


def contradicts(said: Stances, more: Stances) -> bool:
    """Whether what is said more is at odds with itself or with what was said about the same aspect."""
    earlier, later = _by_aspect(said), _by_aspect(more)
    return any(len(words) > 1 or (aspect in earlier and not words <= earlier[aspect]) for aspect, words in later.items())


def _by_aspect(pairs: Stances) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for aspect, stance in pairs:
        found.setdefault(aspect, set()).add(stance)
    return found
