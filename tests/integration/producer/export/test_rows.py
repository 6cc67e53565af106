"""The rows that an export is made of: all facts, in an order that is the same in any database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from db.enums import ImageState
from db.results.export_rows import PAGE, ExportSelection, rows_of, select_images
from db.results.pairs import originals, repaints
from db.tables import artworks, images
from tests.builders import CampaignHarness, harness_of

if TYPE_CHECKING:
    from db.engine import Database
    from db.results.export_rows import ExportRow

#: Keys whose order depends on who sorts: by language, by case, by bytes.
KEYS = ("Zorn_boat", "zorn_boat", "ángel_mar", "angel_mar", "van-gogh_a", "van gogh_b", "vangogh_c", "_nobody_x", "Émile_ete")


def finished(database: Database, count: int = len(KEYS)) -> CampaignHarness:
    harness = harness_of(database, count)
    with database.engine.begin() as connection:
        for row, key in zip(harness.rows(artworks), KEYS, strict=False):
            connection.execute(update(artworks).where(artworks.c.id == row["id"]).values(key=key, width=40, height=30))
    harness.run_all()
    return harness


def read(harness: CampaignHarness, **selection: object) -> list[ExportRow]:
    chosen = select_images(harness.database, ExportSelection(campaign_id=harness.campaign.id, **selection))  # type: ignore[arg-type]
    return list(rows_of(harness.database, chosen))


def test_rows_come_by_key_level_and_ordinal_byte_by_byte_in_any_database(database: Database) -> None:
    rows = read(finished(database))

    assert [row.artwork_key for row in rows[::2]] == sorted(KEYS, key=lambda key: key.encode())
    assert [row.level for row in rows[:2]] == ["moderate", "radical"]
    assert len(rows) == 2 * len(KEYS)


def test_rows_hold_what_the_database_holds(database: Database) -> None:
    harness = finished(database)
    rows = {row.image_id: row for row in read(harness)}

    known = {original.artwork_id: original for original in originals(database, harness.campaign.id)}
    made = repaints(database, harness.campaign.id)
    assert len(rows) == len(made)
    for repaint in made:
        row, original = rows[repaint.image_id], known[repaint.artwork_id]
        assert (row.artwork_key, row.group_key, row.style, row.styles) == (
            original.key,
            original.group_key,
            original.style,
            original.styles,
        )
        assert (row.original_hash, row.artist, row.title) == (original.content_hash, original.artist, original.title)
        assert (row.level, row.ordinal, row.seed) == (repaint.level, repaint.ordinal, repaint.seed)
        assert (row.caption, row.recaption, row.prompt) == (repaint.caption, repaint.recaption, repaint.prompt)
        assert (row.repaint_hash, row.pixel_hash, row.provenance) == (repaint.content_hash, repaint.pixel_hash, repaint.provenance)
        assert set(row.text_models) == {"caption", "prompt", "recaption"}
        assert row.scores == {}


def test_rows_are_read_again_by_their_ids_even_when_superseded(database: Database) -> None:
    harness = finished(database)
    rows = read(harness)
    with database.engine.begin() as connection:
        connection.execute(update(images).values(current=False))

    assert read(harness) == []
    assert list(rows_of(database, [row.image_id for row in reversed(rows)])) == rows[::-1]


def test_more_rows_than_a_page_all_come(sqlite_database: Database) -> None:
    count = PAGE // 2 + 7
    rows = read(finished(sqlite_database, count))
    assert len({row.image_id for row in rows}) == 2 * count


def test_rows_are_chosen_by_style_level_number_and_a_condition_on_images(sqlite_database: Database) -> None:
    harness = finished(sqlite_database)
    with sqlite_database.engine.begin() as connection:
        connection.execute(update(artworks).where(artworks.c.key == "angel_mar").values(style="Rococo"))

    assert {row.artwork_key for row in read(harness, styles=("Rococo",))} == {"angel_mar"}
    assert {row.level for row in read(harness, levels=("radical",))} == {"radical"}
    everything = read(harness)
    assert read(harness, limit=3) == everything[:3]
    assert read(harness, where=images.c.id == everything[5].image_id) == [everything[5]]


def test_a_repaint_of_an_original_that_was_replaced_or_is_gone_is_no_row(sqlite_database: Database) -> None:
    harness = finished(sqlite_database)
    with sqlite_database.engine.begin() as connection:
        connection.execute(update(images).values(original_hash="0" * 64).where(images.c.artwork_id == 1))
        connection.execute(update(artworks).where(artworks.c.id == 2).values(picture=str(ImageState.UNREADABLE)))

    assert {row.artwork_key for row in read(harness)}.isdisjoint({KEYS[0], KEYS[1]})
    assert len(read(harness)) == 2 * (len(KEYS) - 2)
