from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadFilter
from db.quality.filter_syntax import (
    DEEPEST,
    LONGEST,
    AllOf,
    AnyOf,
    Negation,
    ScoreComparison,
    Term,
    TextComparison,
    parse_filter,
    scores_in,
    texts_in,
)
from db.quality.names import score_names

SIMILAR = ScoreComparison(name="similarity", operator=">", value=0.97)
RADICAL = TextComparison(name="level", operator="=", value="radical")
DUPLICATE = ScoreComparison(name="duplicate", operator=">=", value=0.5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("similarity > 0.97", SIMILAR),
        ("similarity>.97", SIMILAR),
        ("  SIMILARITY  >  9.7e-1  ", SIMILAR),
        ("prompt_agreement<=-0.5", ScoreComparison(name="prompt_agreement", operator="<=", value=-0.5)),
        ("near_duplicates == 7", ScoreComparison(name="near_duplicates", operator="=", value=7.0)),
        ("duplicate", DUPLICATE),
        ("duplicate = 0", ScoreComparison(name="duplicate", operator="=", value=0.0)),
        ("level = radical", RADICAL),
        ("level == 'radical'", RADICAL),
        ("style != art-nouveau", TextComparison(name="style", operator="!=", value="art-nouveau")),
        ("style = 'L''Art \"Nouveau\"'", TextComparison(name="style", operator="=", value='L\'Art "Nouveau"')),
        ('artist = "Käthe ""K"""', TextComparison(name="artist", operator="=", value='Käthe "K"')),
        ("style = Żałoba", TextComparison(name="style", operator="=", value="Żałoba")),
        ("style = ''", TextComparison(name="style", operator="=", value="")),
        ("similarity > 0.97 and level = radical or duplicate", AnyOf(terms=(AllOf(terms=(SIMILAR, RADICAL)), DUPLICATE))),
        ("similarity > 0.97 AND (level = radical Or duplicate)", AllOf(terms=(SIMILAR, AnyOf(terms=(RADICAL, DUPLICATE))))),
        ("not duplicate and level = radical", AllOf(terms=(Negation(term=DUPLICATE), RADICAL))),
        ("not not duplicate", Negation(term=Negation(term=DUPLICATE))),
        ("((duplicate))", DUPLICATE),
    ],
)
def test_a_filter_is_read_as_it_is_meant(text: str, expected: Term) -> None:
    assert parse_filter(text) == expected


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("simlarity > 1", r"at character 1: unknown name 'simlarity' \(did you mean `similarity`\? Known are .*near_duplicates.*level"),
        ("duplicate or colour > 1", r"at character 14: unknown name 'colour' \(known are "),
        ("similarity", "at its end: expected <"),
        ("similarity 0.97", "at character 12: expected <"),
        ("similarity >", "at its end: `similarity` compares with a number"),
        ("similarity > high", "at character 14: `similarity` compares with a number"),
        ("similarity > nan", "compares with a number"),
        ("similarity > '0.97'", "compares with a number"),
        ("similarity => 0.97", "at character 13: .*number"),
        ("0.97 < similarity", "at character 1: expected the name of a score"),
        ("level > radical", "at character 7: expected = or !="),
        ("level =", "at its end: `level` compares with a word"),
        ("level = (radical)", "at character 9: `level` compares with a word"),
        ("style = 'Cubism", "at character 9: a quote is not closed"),
        ("similarity > 0.9 level = radical", "at character 18: expected `and`, `or` or the end"),
        ("(duplicate", r"at its end: expected `\)`"),
        ("duplicate)", "at character 10: expected `and`, `or` or the end"),
        ("()", "at character 2: expected the name"),
        ("duplicate and", "at its end: expected the name"),
        ("and duplicate", "at character 1: expected the name"),
        ("not", "at its end: expected the name"),
        ("duplicate; drop table scores", "at character 10: ';' means nothing here"),
        ("duplicate -- x", "at character 11: '-' means nothing here"),
        ("(" * (DEEPEST + 1) + "duplicate" + ")" * (DEEPEST + 1), f"more than {DEEPEST} deep"),
        ("not " * (DEEPEST + 1) + "duplicate", f"more than {DEEPEST} deep"),
        ("duplicate or " * LONGEST + "duplicate", f"at most {LONGEST}"),
    ],
)
def test_what_cannot_be_read_says_where_and_why_in_one_line(text: str, cause: str) -> None:
    with pytest.raises(BadFilter, match=cause) as refusal:
        parse_filter(text)
    assert "\n" not in str(refusal.value)


@given(st.text(alphabet="abdelnorst ()<>=!'\"0.9-_\n;é", max_size=40) | st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_filter(text)
    except BadFilter as error:
        refusal = str(error)
    else:
        refusal = ""
    assert "\n" not in refusal


def test_the_names_in_a_filter_are_found_at_any_depth() -> None:
    term = parse_filter("not (similarity > 0.9 and (duplicate or level = radical)) or style = Cubism")
    assert scores_in(term) == {"similarity", "duplicate"}
    assert [one.value for one in texts_in(term)] == ["radical", "Cubism"]


def test_every_scorer_can_stand_in_a_filter() -> None:
    assert {"similarity", "prompt_agreement", "caption_agreement", "aesthetic", "nsfw", "near_duplicates"} < set(score_names())
