"""Imports that are repeated, interrupted, partial, or of several files: what is there already stays what it is."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from sqlalchemy import select

from db.campaigns import find_campaign
from db.enums import Stage
from db.errors import CampaignImported
from db.jobs import import_results
from db.monitoring.work_left import work_left
from db.tables import captions
from db.verification import verify
from producer.errors import WrongUse
from tests.integration.producer.commands.published_results import Published, letterboxed, outcomes, painting, saved


def test_several_repaints_of_one_original_are_variations_of_it(on_sqlite: Published) -> None:
    published = on_sqlite
    published.register(1)
    for hue in range(3):
        row = published.publish(0, prompt_compressed=f"a city {hue}")
        row["generated_image"] = f"SDXL/{hue}.jpg"
        saved(letterboxed(painting(0, hue=60 + hue * 40), 96), published.published(row["generated_image"]))

    assert outcomes(published.take_in()) == {"added": 3}
    assert [(one.ordinal, one.prompt) for one in published.repaints()] == [(number, f"a city {number}") for number in range(3)]
    assert len({one.seed for one in published.repaints()}) == 3
    assert outcomes(published.take_in()) == {"unchanged": 3}


def test_an_import_that_was_killed_is_completed_by_another(on_sqlite: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    published = on_sqlite
    published.register(6)
    for number in range(6):
        published.publish(number)
    monkeypatch.setattr("producer.results_import.importer.AT_ONCE", 2)
    write, calls = import_results.write_imported, []

    def killed(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return write(*arguments)

    monkeypatch.setattr("producer.results_import.importer.write_imported", killed)
    with pytest.raises(AssertionError, match="Aborted"):  # its exit code
        published.take_in()
    monkeypatch.setattr("producer.results_import.importer.write_imported", write)

    assert len(published.repaints()) == 4
    assert outcomes(published.take_in()) == {"added": 2, "unchanged": 4}
    assert verify(published.operator.database, published.operator.runtime.store).is_sound


def test_repaints_that_the_store_lost_come_back_by_another_import(on_sqlite: Published) -> None:
    published = on_sqlite
    published.register(2)
    for number in range(2):
        published.publish(number)
    published.take_in()
    store = published.operator.runtime.store
    lost = published.repaints()[0].content_hash
    store.delete(lost)

    # When verify is to repair it, it does not hand the job to a worker that could not do it
    result = verify(published.operator.database, store, repair=True)
    assert (result.is_sound, result.requeued) == (False, 0)
    assert not work_left(published.operator.database, list(Stage))

    # And another import brings it back
    assert outcomes(published.take_in()) == {"unchanged": 2}
    assert store.exists(lost)
    assert verify(published.operator.database, store).is_sound


def test_nothing_of_an_imported_campaign_is_planned_or_made_again(published: Published) -> None:
    published.register(3)
    for number in range(2):
        published.publish(number)
    published.take_in()
    operator = published.operator

    with pytest.raises(CampaignImported, match="import-results"):
        operator.output_of("enqueue --campaign imported")
    requeued = operator.json_of("requeue --done --stage generate")
    assert (requeued["jobs"], requeued["imported"]) == (0, 2)
    assert "left out: 2 imported ones" in operator.output_of("requeue --done --stage generate")
    assert operator.json_of("status")["jobs"]["generate"] == {"done": 2}


def test_captions_alone_are_taken_in_and_gzip_is_read(on_sqlite: Published) -> None:
    published = on_sqlite
    published.register(2)
    text = "file_name,caption\n" + "".join(f"painter-{n}_work-number-{n}.jpg,a harbour {n}\n" for n in (0, 1, 1))
    path = published.folder / "captions.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))

    report = published.operator.json_of("import-results", str(path))

    assert outcomes(report) == {"added": 2, "repeated": 1}
    assert published.operator.json_of("status")["jobs"]["caption"] == {"done": 2}
    assert verify(published.operator.database, published.operator.runtime.store).is_sound


def test_a_stretched_square_is_squeezed_back_and_said_so(on_sqlite: Published) -> None:
    published = on_sqlite
    published.register(1)
    row = published.publish(0)
    saved(painting(0, hue=90).resize((96, 96)), published.published(row["generated_image"]))

    assert published.take_in()["canvases"] == {"stretch": 1}
    assert [(one.width, one.height) for one in published.repaints()] == [(96, 64)]
    assert outcomes(published.take_in("--canvas", "as-is")) == {"superseded": 1}
    (kept,) = published.repaints()
    assert (kept.width, kept.height) == (96, 96)
    # Byte for byte as it was published.
    assert published.operator.runtime.store.get(kept.content_hash) == published.published(row["generated_image"]).read_bytes()


def test_a_further_file_may_bring_further_levels(published: Published) -> None:
    published.register(2)
    published.publish(0)
    published.take_in("--level", "moderate")
    published.rows.clear()
    published.publish(1)

    assert outcomes(published.take_in("--level", "radical")) == {"added": 1}

    assert [one.level for one in published.repaints()] == ["moderate", "radical"]
    assert set(find_campaign(published.operator.database, "imported").config.level) == {"moderate", "radical"}
    assert verify(published.operator.database, published.operator.runtime.store).is_sound
    with pytest.raises(WrongUse, match="--level"):
        published.operator.output_of("import-results", str(published.file), "--level", "so/so")


def test_cells_that_no_database_can_hold_are_mended_and_those_that_say_empty_are_empty(published: Published) -> None:
    published.register(3)
    cells = ("a harbour \ud800 at dusk", "-", "a\0 bridge")
    text = "file_name,caption\n" + "".join(f"painter-{n}_work-number-{n}.jpg,{cell}\n" for n, cell in enumerate(cells))
    path = published.folder / "captions.csv"
    path.write_bytes(text.encode("utf-16", "surrogatepass"))

    report = published.operator.json_of("import-results", str(path))

    assert outcomes(report) == {"added": 2, "empty": 1}
    with published.operator.database.read() as connection:
        assert sorted(connection.scalars(select(captions.c.text))) == ["a bridge", "a harbour \ufffd at dusk"]
