"""Subjects by where they are found; a new one is added here."""

from __future__ import annotations

from producer.samples.subjects.figures import cats, circles, umbrellas, women
from producer.samples.subjects.indoors import candles, fish, flowers, fruit
from producer.samples.subjects.land import balloons, houses, mountains, trees, windmills
from producer.samples.subjects.subject import MOST, Subject
from producer.samples.subjects.water import birds, boats, bridge, lighthouses

SUBJECTS: dict[str, Subject] = {
    subject.name: subject
    for subject in (
        Subject(name="boats", one="a boat in a harbour", many="{n} boats in a harbour", lay=boats),
        Subject(name="houses", one="a house in a field", many="{n} houses in a field", lay=houses),
        Subject(name="trees", one="a tree on a plain", many="{n} trees on a plain", lay=trees),
        Subject(name="mountains", one="a mountain behind a lake", many="{n} mountains behind a lake", lay=mountains),
        Subject(name="flowers", one="a vase with a flower", many="a vase with {n} flowers", lay=flowers),
        Subject(name="women", one="a woman", many="{n} women", lay=women),
        Subject(name="birds", one="a bird over the sea at sunset", many="{n} birds over the sea at sunset", lay=birds),
        Subject(name="apples", one="an apple on a cloth", many="{n} apples on a cloth", lay=fruit),
        Subject(name="bridge", one="a bridge with one arch over a river", many="a bridge with {n} arches over a river", lay=bridge),
        Subject(name="lighthouses", one="a lighthouse on a cliff", many="{n} lighthouses on a cliff", lay=lighthouses),
        Subject(name="balloons", one="a balloon over the hills", many="{n} balloons over the hills", lay=balloons),
        Subject(name="candles", one="a candle on a table", many="{n} candles on a table", lay=candles),
        Subject(name="fish", one="a fish in a bowl", many="{n} fish in a bowl", lay=fish),
        Subject(name="windmills", one="a windmill in the country", many="{n} windmills in the country", lay=windmills),
        Subject(name="cats", one="a cat on a wall", many="{n} cats on a wall", lay=cats),
        Subject(name="umbrellas", one="an umbrella in the rain", many="{n} umbrellas in the rain", lay=umbrellas),
        Subject(name="circles", one="a circle over a bar", many="{n} circles over a bar", lay=circles),
    )
}

__all__ = ["MOST", "SUBJECTS", "Subject"]
