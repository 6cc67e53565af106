"""Words that captions of pictures are made of, by what they show: enough English to tell a woman from a bench, and no model.

Nouns stand in the singular; `kind_of` knows their plurals. A word that is in none of the lists is taken for a thing.
"""

# ruff: noqa: SIM905 - word lists read best as text

from __future__ import annotations

from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a noun of a caption shows."""

    #: Somebody: these alone allow a prompt to speak of people.
    PERSON = "person"
    #: A part of a body.
    BODY = "body"
    #: Something worn.
    ATTIRE = "attire"
    ANIMAL = "animal"
    #: Something built that has rooms, or stands like a house.
    BUILDING = "building"
    #: The sea, a river, a puddle.
    WATER = "water"
    PLANT = "plant"
    #: What is above the horizon, and the light that comes from it.
    SKY = "sky"
    #: An hour, a season, a light: it has no place in the picture.
    TIME = "time"
    #: Ground and country.
    LAND = "land"
    #: A room and its parts.
    ROOM = "room"
    VEHICLE = "vehicle"
    FOOD = "food"
    #: Anything else that can be touched, and every word that is not known.
    OBJECT = "object"
    #: Lines, squares, areas of colour.
    SHAPE = "shape"
    #: A sort of picture: "portrait".
    MEDIUM = "medium"
    #: A word that names no part of a picture: "background".
    NOTHING = "nothing"


_NOUNS = {
    Kind.PERSON: (
        "person people man woman child baby infant toddler girl boy lady gentleman guy couple family mother father parent son daughter "
        "brother "
        "sister grandmother grandfather husband wife bride groom friend lover adult teenager youth crowd audience nun monk priest "
        "bishop pope "
        "saint angel cherub putto apostle disciple prophet shepherd shepherdess farmer peasant fisherman sailor soldier knight warrior "
        "samurai geisha king queen prince princess emperor empress noble nobleman noblewoman duke duchess countess officer hunter "
        "rider horseman jockey dancer ballerina musician singer violinist guitarist pianist drummer flutist actor actress clown acrobat "
        "harlequin bather swimmer nude figure worker laborer servant maid waiter waitress artist painter sculptor cook baker blacksmith "
        "merchant vendor seller beggar "
        "traveler traveller pilgrim student teacher scholar doctor nurse philosopher poet writer player nymph goddess god "
        "cupid madonna virgin jesus christ mary moses venus magi magus reaper gleaner washerwoman milkmaid boatman rower gondolier cowboy "
        "gypsy passenger pedestrian spectator guest customer gardener woodcutter weaver spinner seamstress "
        "policeman fireman pirate wizard witch fairy mermaid someone somebody everyone human being twin neighbor neighbour villager"
    ),
    Kind.BODY: (
        "head face hair beard mustache moustache eye nose mouth lip ear hand arm finger leg foot knee shoulder chest breast back neck "
        "body skin "
        "lap braid curl tail wing feather horn"
    ),
    Kind.ATTIRE: (
        "hat cap bonnet helmet crown headdress turban scarf shawl veil hood dress gown robe cloak cape coat jacket suit shirt blouse "
        "skirt apron "
        "kimono tunic uniform armor armour collar ruff tie ribbon bow glove shoe boot sandal stocking sock trouser pants clothes "
        "clothing costume "
        "outfit attire glasses spectacles necklace earring bracelet jewelry pearl belt sash vest sweater stole toga tutu wig mask"
    ),
    Kind.ANIMAL: (
        "animal horse pony donkey mule cow bull ox calf cattle sheep lamb goat pig dog puppy hound greyhound cat kitten lion lioness "
        "tiger leopard "
        "elephant camel monkey ape bear wolf fox deer stag rabbit hare squirrel mouse rat bat snake lizard turtle frog fish shark whale "
        "dolphin lobster "
        "crab shrimp oyster bird chicken hen rooster duck goose swan peacock pheasant turkey pigeon dove crow raven owl eagle hawk "
        "falcon heron "
        "crane stork parrot cockatoo parakeet macaw gull seagull sparrow swallow finch robin butterfly moth bee insect spider dragon "
        "unicorn "
        "griffin flock herd zebra giraffe buffalo bison hippo rhino pelican flamingo penguin goldfish carp koi beetle grasshopper snail"
    ),
    Kind.BUILDING: (
        "building house cottage hut barn farmhouse cabin castle palace tower church cathedral chapel temple mosque monastery abbey "
        "windmill mill "
        "lighthouse bridge arch city town village street alley plaza market harbor harbour port dock pier station factory chimney roof "
        "wall gate fence ruin column pillar dome steeple skyscraper apartment hotel shop store cafe restaurant bar theater theatre "
        "school library "
        "fort fortress shed stable villa mansion pavilion pagoda aqueduct amphitheater courtyard terrace porch balcony facade rooftop "
        "tent stall "
        "tomb shrine"
    ),
    Kind.WATER: (
        "water sea ocean river stream creek brook lake pond pool canal waterfall wave bay lagoon marsh swamp fountain puddle coast "
        "shore beach "
        "shoreline seaside riverbank cove harbourside rapids"
    ),
    Kind.PLANT: (
        "tree flower plant bush shrub grass forest wood woods leaf foliage branch trunk vine ivy rose lily tulip sunflower poppy iris "
        "peony daisy "
        "carnation chrysanthemum lilac violet pansy orchid lotus blossom bouquet garland wreath hedge garden orchard vineyard haystack "
        "hay wheat "
        "corn crop reed moss fern bamboo palm pine oak birch cypress willow poplar olive cactus mushroom seaweed hydrangea geranium "
        "magnolia dahlia "
        "marigold hollyhock anemone zinnia gladiolus mimosa almond jungle meadow"
    ),
    Kind.SKY: ("sky cloud sun moon star sunset sunrise rainbow storm lightning rain snow fog mist smoke"),
    Kind.TIME: (
        "night dawn dusk twilight evening morning noon afternoon midnight day sunday monday winter summer autumn fall spring moonlight "
        "sunlight light "
        "candlelight lamplight shadow wind horizon weather"
    ),
    Kind.LAND: (
        "landscape field hill mountain valley cliff rock stone island desert road path trail track countryside farm farmland pasture "
        "plain ground "
        "dirt sand dune cave canyon volcano glacier iceberg ice park clearing hillside mountainside peak slope seascape cityscape land "
        "world"
    ),
    Kind.ROOM: (
        "room bedroom kitchen studio interior parlor parlour hall hallway corridor doorway door window floor ceiling stair staircase "
        "fireplace "
        "stage altar classroom office bathroom salon tavern workshop stove"
    ),
    Kind.VEHICLE: (
        "boat ship sailboat rowboat canoe gondola steamboat yacht barge raft vessel carriage cart wagon chariot sled train locomotive "
        "tram car bus "
        "truck bicycle bike motorcycle airplane plane balloon sail mast"
    ),
    Kind.FOOD: (
        "food fruit apple pear orange lemon peach plum grape cherry strawberry melon watermelon pomegranate fig banana pineapple "
        "vegetable onion "
        "garlic cabbage carrot tomato potato pumpkin squash artichoke asparagus bread loaf cheese egg meat ham cake pie candy wine beer "
        "tea coffee "
        "milk soup meal breakfast lunch dinner nut walnut berry quince"
    ),
    Kind.OBJECT: (
        "table chair bench sofa couch bed cradle desk shelf cabinet chest stool throne mirror lamp candle candlestick lantern "
        "chandelier clock "
        "book letter paper newspaper map globe pen brush palette easel canvas frame vase bowl plate dish cup glass bottle jug pitcher "
        "jar pot pan "
        "kettle basket box barrel bucket bag knife fork spoon tray cloth tablecloth curtain drape blanket pillow cushion towel rug "
        "carpet fan "
        "umbrella parasol cane stick staff sword spear shield gun rifle cannon arrow flag banner cross crucifix skull skeleton statue bust "
        "sculpture doll toy ball card chess guitar violin cello piano lute flute trumpet drum harp mandolin tool hammer scythe plow net "
        "rope wheel "
        "ladder scale coin pipe cigarette telescope machine item object thing fire flame rock key telephone radio camera pedestal urn"
    ),
    Kind.SHAPE: (
        "shape square circle triangle rectangle line stripe dot spot form pattern grid spiral curve block cube swirl splash stroke "
        "brushstroke "
        "color colour design texture"
    ),
    Kind.MEDIUM: (
        "painting picture image photo photograph drawing sketch print woodcut etching engraving lithograph illustration poster mural "
        "fresco mosaic "
        "tapestry watercolor watercolour pastel portrait self-portrait selfportrait artwork art view scene study depiction rendering "
        "composition "
        "still-life abstract abstraction collage cartoon panel triptych scroll icon page work closeup close-up piece"
    ),
    Kind.NOTHING: (
        "background foreground front middle center centre top bottom side left right edge corner distance way part bit end other it "
        "them each one "
        "style manner time year century title name number kind type sort variety lot conversation distance air rest"
    ),
}

#: Plurals that no rule makes.
_PLURALS = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "people",
    "feet": "foot",
    "geese": "goose",
    "mice": "mouse",
    "oxen": "ox",
    "calves": "calf",
    "leaves": "leaf",
    "wolves": "wolf",
    "sheaves": "sheaf",
    "loaves": "loaf",
    "knives": "knife",
    "shelves": "shelf",
    "putti": "putto",
    "ladies": "lady",
    "cherubim": "cherub",
    "fishermen": "fisherman",
    "horsemen": "horseman",
    "gentlemen": "gentleman",
    "noblemen": "nobleman",
    "boatmen": "boatman",
    "washerwomen": "washerwoman",
    "policemen": "policeman",
    "magi": "magi",
    "scarves": "scarf",
}

#: Plural without showing it, or never with an article: how many they are, their own form tells.
PLURAL = frozenset("people cattle sheep clothes pants glasses spectacles magi men women children feet geese mice oxen putti police".split())

#: Nouns that end like a plural and are none.
SINGULAR = frozenset(
    "glass dress grass cross cypress iris lotus canvas dais christ jesus moses venus compass mass harness princess goddess".split()
)

#: Names, which take no article.
NAMES = frozenset("jesus christ mary moses venus joseph mount cupid".split())

#: Nouns that are not counted.
MASS_NOUNS = frozenset(
    "water grass snow fruit food hay wheat corn ice sand smoke fog mist rain light moonlight sunlight bread cheese meat clothing "
    "furniture jewelry foliage moss "
    "wine beer tea coffee milk paper cloth wood straw ground laundry music air".split()
)

COLOURS = frozenset(
    "red blue green yellow orange purple pink white black brown grey gray gold golden silver violet turquoise beige teal crimson scarlet "
    "colorful colourful multicolored dark light bright pale pastel".split()
)

_ADJECTIVES = frozenset(
    "young old elderly little big small large tall short long thin fat round beautiful pretty handsome naked nude bearded blonde blond "
    "bald "
    "wooden stone brick marble glass metal iron bronze straw leather silk lace velvet open closed empty full half several many various "
    "different "
    "abstract modern ancient medieval victorian baroque renaissance gothic japanese chinese indian persian dutch italian french spanish "
    "english german "
    "russian american african egyptian greek roman oriental religious christian geometric simple ornate decorative rocky snowy grassy "
    "wooded sandy "
    "sunny cloudy stormy rainy foggy misty winding narrow wide busy crowded quiet calm rough steep tropical native same single dead wild "
    "unfinished blurry close wet dry cold warm late early high low deep still last first great holy royal military traditional".split()
)

NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        "a": 1,
        "an": 1,
        "one": 1,
        "single": 1,
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
        "eleven": 11,
        "twelve": 12,
    }
)

#: Heads of "a group of people": what counts is what follows "of".
GATHERINGS = frozenset(
    "group pair bunch row line series set collection crowd flock herd family lot number variety couple dozen pile stack piece".split()
)

DETERMINERS = frozenset(
    "a an the this that these those his her its their our my your some several many various few no another each every both all".split()
)
PREPOSITIONS = frozenset(
    "in on at by with of to from into onto under over above below beneath behind beside near next between among around along across "
    "through "
    "against inside outside within without off up down toward towards upon during for as like before after amid amidst underneath "
    "about opposite".split()
)
CONJUNCTIONS = frozenset("and or but while as that which who whom where when than".split())
AUXILIARIES = frozenset("is are was were be been being has have had does do can could appears appear seems seem looks look".split())
PRONOUNS = frozenset("he she it they them him her himself herself itself themselves each other one another who what there here".split())
ADVERBS = frozenset("together alone very also not out away just only both slightly outdoors indoors outside inside upside".split())

#: Words in -ing that are nouns, or adjectives wherever they stand.
NO_PARTICIPLES = frozenset(
    "painting drawing building clothing morning evening spring ring king wing string ceiling wedding etching engraving railing "
    "lightning being thing something nothing everything anything crossing landing viking pudding sling swing earring bedding lining siding "
    "meeting gathering hanging-scroll setting".split()
)

#: Participles and verbs without -ing that end a noun phrase.
VERBS = frozenset(
    "surrounded covered filled dressed seated gathered painted drawn made decorated lit seen shown set placed hung held worn tied "
    "topped framed "
    "based reflected scattered arranged lined adorned draped wrapped clad engaged lost stands sits holds wears lies walks rides plays "
    "looks "
    "works rests sleeps leans reads stand sit hold wear lie walk ride play work rest sleep lean read depicts depict shows show features "
    "featuring contains contain crowned overgrown followed pulled carried driven flanked composed displayed accompanied illuminated".split()
)

#: Words of titles and captions that have no place above.
_OTHERS = frozenset(
    "life birth death love war peace music dance battle hunt harvest feast party game supper adoration crucifixion annunciation nativity "
    "baptism procession ceremony dream memory story event sitting standing holding wearing walking reading sleeping playing looking riding "
    "lying leaning kneeling bathing dancing working resting eating drinking talking kissing embracing fishing hunting sewing "
    "writing praying running flying swimming sailing untitled number unknown nature sketchbook seated reclining "
    "side edge bank blooming flowering falling rising setting burning".split()
)

#: Endings by which a word that is not in the lists shows that it is no name: "jockeys" is caught as a plural.
_COMMON_ENDINGS = (
    "ed",
    "ers",
    "ing",
    "ings",
    "scape",
    "scapes",
    "house",
    "tree",
    "trees",
    "man",
    "men",
    "woman",
    "women",
    "ness",
    "berries",
    "boats",
    "flowers",
)
_NAME_ENDINGS = ("us", "is", "as", "os", "ss", "es")
_LEAST = 4


@cache
def _nouns() -> Mapping[str, Kind]:
    return MappingProxyType({word: kind for kind, words in reversed(_NOUNS.items()) for word in words.split()})


def singular(word: str) -> str:
    """A noun's singular, if the lists know one; else the word."""
    if word in _PLURALS:
        return _PLURALS[word]
    known = _nouns()
    if word in known:
        return word
    stems = (word[:-1], word[:-2], f"{word[:-3]}y") if word.endswith("s") else ()
    return next((stem for stem in stems if stem in known), word)


def kind_of(noun: str) -> Kind | None:
    """What a noun in either number shows; None for a word that is not known."""
    return _nouns().get(singular(noun.casefold()))


def is_plural(noun: str) -> bool:
    """Whether a noun means several."""
    word = noun.casefold()
    if word in PLURAL or word in _PLURALS:
        return True
    if word in SINGULAR or not word.endswith("s"):
        return False
    return singular(word) != word or not word.endswith(("us", "is", "ss"))


def is_adjective(word: str) -> bool:
    """Whether a word is a colour or another adjective of captions."""
    return word in COLOURS or word in _ADJECTIVES


def is_function_word(word: str) -> bool:
    """Whether a word only joins others."""
    return word in DETERMINERS or word in PREPOSITIONS or word in CONJUNCTIONS or word in AUXILIARIES or word in PRONOUNS


def is_ordinary(word: str) -> bool:
    """Whether a word is one that any caption may use: a title of such words tells nothing."""
    word = word.casefold()
    if is_function_word(word) or is_adjective(word) or word in NUMBERS or word in ADVERBS or word in VERBS or word in _OTHERS:
        return True
    if kind_of(word) is not None or word in NO_PARTICIPLES:
        return True
    return len(word) > _LEAST and (word.endswith(_COMMON_ENDINGS) or (word.endswith("s") and not word.endswith(_NAME_ENDINGS)))
