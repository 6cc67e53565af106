"""A filter chooses in SQL what a plain reading of it in Python chooses."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from db.errors import BadFilter
from db.quality import RepaintScore, ScoreSource, check_values, count_fitting, lacking, where, write_scores
from db.tables import artworks, images, variations
from tests.builders import artworks_of, harness_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.engine import Database
    from tests.builders import CampaignHarness

    Facts = dict[str, Any]

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne}
SOURCE = ScoreSource(scorer="similarity", model="m", revision="r")
VALUES = (0.0, 0.25, 0.5, 0.97, 1.0)


def known_facts(database: Database) -> dict[int, Facts]:
    """What is to be known of each current repaint: every third lacks `similarity`, every fourth `prompt_agreement`."""
    query = (
        select(images.c.id, variations.c.level, artworks.c.style, artworks.c.artist)
        .join(variations, variations.c.id == images.c.variation_id)
        .join(artworks, artworks.c.id == images.c.artwork_id)
        .order_by(images.c.id)
    )
    with database.read() as connection:
        rows = list(connection.execute(query).mappings())
    facts: dict[int, Facts] = {}
    for number, row in enumerate(rows):
        found: Facts = {"level": row["level"], "style": row["style"] or "", "artist": row["artist"] or ""}
        if number % 3:
            found["similarity"] = VALUES[number % 5]
        if number % 4:
            found["prompt_agreement"] = VALUES[(number // 2) % 5]
            found["duplicate"] = float(number % 2)
        facts[row["id"]] = found
    return facts


def filled(database: Database) -> CampaignHarness:
    artworks_of(database, 4, style='L\'Art "Nouveau"')
    artworks_of(database, 4, style=None)
    harness = harness_of(database, 4)
    harness.run_all()
    with database.engine.begin() as connection:
        connection.execute(update(artworks).where(artworks.c.id % 5 == 0).values(artist=None))
    named = ("similarity", "prompt_agreement", "duplicate")
    scored = [
        RepaintScore(image_id=image, name=name, value=facts[name])
        for image, facts in known_facts(database).items()
        for name in named
        if name in facts
    ]
    write_scores(database, SOURCE, scored)
    return harness


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


#: Text of a filter, the scores that it names, and whether facts fit that have all of these.
Case = tuple[str, frozenset[str], "Callable[[Facts], bool]"]


def compared(name: str, sign: str, value: Any) -> Case:
    written = f"{value:g}" if isinstance(value, float) else quoted(value)
    scores = frozenset({name}) if isinstance(value, float) else frozenset[str]()
    return f"{name} {sign} {written}", scores, lambda facts: bool(SIGNS[sign](facts[name], value))


def joined(word: str, terms: list[Case]) -> Case:
    every = all if word == "and" else any
    scores = frozenset[str]().union(*(scores for _, scores, _ in terms))
    text = f" {word} ".join(f"({text})" for text, _, _ in terms)
    return text, scores, lambda facts: every(holds(facts) for _, _, holds in terms)


def negated(term: Case) -> Case:
    text, scores, holds = term
    return f"not ({text})", scores, lambda facts: not holds(facts)


LEAVES: st.SearchStrategy[Case] = st.one_of(
    st.builds(compared, st.sampled_from(["similarity", "prompt_agreement"]), st.sampled_from(list(SIGNS)), st.sampled_from(VALUES)),
    st.builds(compared, st.just("level"), st.sampled_from(["=", "!="]), st.sampled_from(["moderate", "radical"])),
    st.builds(compared, st.just("style"), st.sampled_from(["=", "!="]), st.sampled_from(["Baroque", 'L\'Art "Nouveau"', ""])),
    st.builds(compared, st.just("artist"), st.sampled_from(["=", "!="]), st.sampled_from(["Painter 1", ""])),
    st.just(("duplicate", frozenset({"duplicate"}), lambda facts: facts["duplicate"] >= 0.5)),
)
CASES: st.SearchStrategy[Case] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)), st.builds(negated, inner)
    ),
    max_leaves=6,
)


def chosen(database: Database, condition: Any) -> set[int]:
    with database.read() as connection:
        return set(connection.scalars(select(images.c.id).where(condition)))


def test_a_filter_chooses_in_sql_what_it_chooses_in_python(database: Database) -> None:
    filled(database)
    facts = known_facts(database)
    assert len(facts) == 24

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(CASES)
    def check(case: Case) -> None:
        text, scores, holds = case
        whole = {image for image, known in facts.items() if scores <= known.keys()}
        assert chosen(database, where(text)) == {image for image in whole if holds(facts[image])}, text
        assert chosen(database, lacking(text)) == facts.keys() - whole, text

    check()


def test_and_binds_closer_than_or_and_not_closer_than_and(sqlite_database: Database) -> None:
    filled(sqlite_database)
    same = [
        ("level = radical or level = moderate and style = Baroque", "level = radical or (level = moderate and style = Baroque)"),
        ("not level = radical and style = Baroque", "(not level = radical) and style = Baroque"),
    ]
    for short, long in same:
        assert chosen(sqlite_database, where(short)) == chosen(sqlite_database, where(long))
    assert chosen(sqlite_database, where(same[0][0])) != chosen(
        sqlite_database, where("(level = radical or level = moderate) and style = Baroque")
    )


def test_a_condition_works_in_a_query_that_joins_the_same_tables(database: Database) -> None:
    filled(database)
    query = (
        select(images.c.id)
        .join(variations, variations.c.id == images.c.variation_id)
        .join(artworks, artworks.c.id == images.c.artwork_id)
        .where(where("level = radical and style = Baroque"), variations.c.level == "radical")
    )
    with database.read() as connection:
        assert len(list(connection.scalars(query))) == 4


def test_a_superseded_repaints_scores_do_not_count_for_the_new_one(database: Database) -> None:
    from db.enums import Stage
    from db.jobs.requeue import JobFilter, requeue

    harness = filled(database)
    before = count_fitting(database, harness.campaign.id, "prompt_agreement >= 0")
    assert sum(one.fit for one in before) == 18

    requeue(database, JobFilter(done=True, stage=Stage.GENERATE))
    harness.run_all(mark=" again")

    after = count_fitting(database, harness.campaign.id, "prompt_agreement >= 0")
    assert [(one.repaints, one.fit, one.unscored) for one in after] == [(12, 0, 12), (12, 0, 12)]
    assert len(chosen(database, where("prompt_agreement >= 0"))) == 18, "the old ones keep theirs as history"


@pytest.mark.parametrize(("text", "cause"), [("level = radicl", "moderate, radical"), ('style = "Cubsm"', "Baroque")])
def test_a_level_or_style_that_nothing_has_is_named(sqlite_database: Database, text: str, cause: str) -> None:
    filled(sqlite_database)
    with pytest.raises(BadFilter, match=cause):
        check_values(sqlite_database, text)
    check_values(sqlite_database, 'level = radical and style = Baroque and style != ""')
