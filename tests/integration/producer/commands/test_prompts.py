"""`paragone prompts`: what a campaign's prompts are, and drafts before there is one."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sqlalchemy import select, update

from db.campaigns import all_campaigns
from db.enums import Stage
from db.errors import UnknownCampaign
from db.tables import artworks, captions, jobs, prompts
from producer.errors import NothingRegistered, WrongUse
from tests.builders import artworks_of, harness_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.producer.commands.conftest import Operator

FAKES = """
[caption]
backend = "fake-caption"
model = ""
[prompt]
backend = "fake-prompt"
[level.radical]
backend = "fake-repaint"
model = ""
strength = 0.5
[level.moderate]
backend = "fake-repaint"
model = ""
strength = 0.4
"""


def written(operator: Operator, *writings: dict[str, Any] | None) -> None:
    """A campaign of as many prompts at one level as there are ways in which they were written."""
    level = {"only": {"backend": "fake-repaint", "model": "", "steps": 4, "strength": 0.5}}
    harness_of(operator.database, len(writings), level=level).run(Stage.CAPTION, Stage.PROMPT)
    with operator.database.engine.begin() as connection:
        ids = connection.scalars(select(prompts.c.id).order_by(prompts.c.id)).all()
        for prompt_id, writing in zip(ids, writings, strict=True):
            connection.execute(update(prompts).where(prompts.c.id == prompt_id).values(writing=writing))


def writing(**facts: Any) -> dict[str, Any]:
    return {"writer": "chat", "asked": 1, "faults": [], "condensed": None, "fallback": False, **facts}


WRITINGS = (
    writing(),
    writing(asked=2, faults=["meta"]),
    writing(asked=3, faults=["too-long", "too-long"], condensed="asked"),
    writing(asked=3, faults=["refusal"] * 3, fallback=True),
    None,
)


def with_originals(operator: Operator, count: int) -> None:
    """So many artworks whose originals are in the store."""
    for number, artwork_id in enumerate(artworks_of(operator.database, count)):
        data = BytesIO()
        Image.new("RGB", (64, 48), (40 * number, 200, 90)).save(data, "PNG")
        stored_as = operator.runtime.store.put(data.getvalue())
        with operator.database.engine.begin() as connection:
            connection.execute(update(artworks).where(artworks.c.id == artwork_id).values(content_hash=stored_as))


def test_the_prompts_of_a_campaign_are_listed_with_how_they_were_written(operator: Operator) -> None:
    written(operator, *WRITINGS)

    shown = " ".join(operator.output_of("prompts").split())
    assert "5 prompts: 3 by a language model (1 condensed), 1 fell back to compose (25.0%)" in shown
    assert "answers not used: 3 refusal, 2 too-long, 1 meta" in shown
    found = operator.json_of("prompts")
    assert list(found) == ["campaign", "counts", "prompts", "drafts", "page"]
    assert found["counts"] == {
        "prompts": 5,
        "by_model": 3,
        "fallback": 1,
        "condensed": 1,
        "faults": {"refusal": 3, "too-long": 2, "meta": 1},
    }
    assert [one["writing"] for one in found["prompts"]] == list(WRITINGS)
    assert {one["level"] for one in found["prompts"]} == {"only"}


@pytest.mark.parametrize(("where", "which"), [("fallback", [3]), ("condensed", [2]), ("asked-again", [1, 2, 3]), ("by-model", [0, 1, 2])])
def test_those_that_were_written_in_one_way_are_found(operator: Operator, where: str, which: list[int]) -> None:
    written(operator, *WRITINGS)

    found = operator.json_of(f"prompts --where {where}")["prompts"]
    assert [one["writing"] for one in found] == [WRITINGS[position] for position in which]
    assert len(operator.json_of(f"prompts --where {where} --limit 1")["prompts"]) == 1
    assert operator.json_of(f"prompts --where {where} --level other")["prompts"] == []


def test_prompts_without_a_language_model_are_said_to_be_composed(sqlite_operator: Operator) -> None:
    written(sqlite_operator, None, None)

    assert "2 prompts, all composed without a language model" in sqlite_operator.output_of("prompts")


def test_drafts_are_shown_beside_their_originals_and_nothing_is_recorded(
    sqlite_operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with_originals(sqlite_operator, 4)
    (tmp_path / "mine.toml").write_text(FAKES)

    shown = sqlite_operator.output_of("prompts --try 2 --config mine.toml")

    assert "prompts.html" in shown
    page = (tmp_path / "prompts.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert page.count("<h3>") == 4
    assert "Caption (written now): a " in page
    assert all_campaigns(sqlite_operator.database) == []
    with sqlite_operator.database.read() as connection:
        assert [connection.execute(select(table)).all() for table in (captions, prompts, jobs)] == [[], [], []]


def test_drafts_as_json_follow_the_seed_and_the_level(sqlite_operator: Operator, tmp_path: Path) -> None:
    with_originals(sqlite_operator, 6)
    (tmp_path / "mine.toml").write_text(FAKES)
    line = ("prompts --try 3 --level radical --config", str(tmp_path / "mine.toml"))

    found = sqlite_operator.json_of(*line)
    assert (found["campaign"], found["counts"], found["prompts"], found["page"]) == (None, None, [], None)
    assert [draft["level"] for draft in found["drafts"]] == ["radical"] * 3
    assert all(draft["caption"] in draft["prompt"] and draft["caption_is_new"] for draft in found["drafts"])
    assert sqlite_operator.json_of(*line) == found
    drawn = {tuple(draft["artwork"] for draft in sqlite_operator.json_of(*line, "--seed", str(seed))["drafts"]) for seed in range(8)}
    assert len(drawn) > 1
    assert not list(tmp_path.glob("*.html"))


def test_captions_and_seeds_of_a_campaign_are_taken(sqlite_operator: Operator) -> None:
    with_originals(sqlite_operator, 2)
    harness = harness_of(sqlite_operator.database)
    harness.run(Stage.CAPTION, Stage.PROMPT)

    found = sqlite_operator.json_of("prompts --try 2")

    assert found["campaign"] == "trial"
    assert {draft["caption"] for draft in found["drafts"]} == {row["text"] for row in harness.rows(captions)}
    assert not any(draft["caption_is_new"] for draft in found["drafts"])


def test_text_from_outside_is_no_markup_on_the_page(sqlite_operator: Operator, tmp_path: Path) -> None:
    with_originals(sqlite_operator, 1)
    with sqlite_operator.database.engine.begin() as connection:
        connection.execute(update(artworks).values(style="<script>alert(1)</script>"))
    (tmp_path / "mine.toml").write_text(FAKES)

    sqlite_operator.output_of("prompts --try 1 --config", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "out.html"))

    page = (tmp_path / "out.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("prompts --out x.html", "--out goes with --try"),
        ("prompts --seed 3", "--seed goes with --try"),
        ("prompts --config repaints", "--config goes with --try"),
        ("prompts --try 2 --where fallback", "--where does not go with --try"),
        ("prompts --try 2 --limit 3", "--limit does not go with --try"),
        ("prompts --try 2 --config nothing-like-it", "there is no file nothing-like-it"),
        ("prompts --try 2 --config repaints --level wild", "there is no level wild, only moderate, radical"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(sqlite_operator: Operator, line: str, text: str) -> None:
    with_originals(sqlite_operator, 1)
    with pytest.raises(WrongUse, match=text):
        sqlite_operator.output_of(line)


def test_without_a_campaign_or_an_artwork_the_way_on_is_told(sqlite_operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(FAKES)
    with pytest.raises(UnknownCampaign, match="paragone enqueue"):
        sqlite_operator.output_of("prompts")
    with pytest.raises(NothingRegistered):
        sqlite_operator.output_of("prompts --try 2 --config", str(tmp_path / "mine.toml"))
