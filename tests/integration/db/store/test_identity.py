"""Which store a database belongs with: made, adopted, or given on purpose."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from db.errors import StoreUnavailable
from db.runtime import Runtime
from db.settings import Settings
from db.store import Store
from db.store.identity import read_store_id
from db.tables import artworks, stores
from tests.builders import harness_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from db.engine import Database


def runtime_of(database: Database, location: Path | str, data_dir: Path) -> Runtime:
    """A host on this database, which is configured, with its store there."""
    url = database.engine.url.render_as_string(hide_password=False)
    return Runtime(Settings(data_dir=data_dir, database_url=SecretStr(url), store_url=str(location)))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def runtime(database: Database, place: Path, tmp_path: Path) -> Iterator[Runtime]:
    runtime = runtime_of(database, place, tmp_path)
    yield runtime
    runtime.close()


def name(database: Database, *content_hashes: str, link: str | None = None) -> None:
    """Let artworks have these originals."""
    facts = {"styles": [], "picture": "present", "registered_at": 0, "link": link}
    with database.engine.begin() as connection:
        for content_hash in content_hashes:
            connection.execute(artworks.insert().values(key=content_hash, group_key=content_hash, content_hash=content_hash, **facts))


def rows(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(stores)) or 0


def test_init_makes_a_store_whose_marker_holds_the_id_in_the_database(runtime: Runtime, place: Path) -> None:
    runtime.initialise()

    assert runtime.store.files.marker() == read_store_id(runtime.database)
    assert [path.name for path in place.iterdir() if path.is_file()] == ["paragone-store.json"]
    runtime.initialise()
    assert rows(runtime.database) == 1


def test_a_configured_database_without_a_store_says_what_to_run(runtime: Runtime, place: Path) -> None:
    with pytest.raises(StoreUnavailable, match="the database knows no store yet: run `paragone init`"):
        runtime.store.put(b"a repaint")

    assert not place.exists()
    runtime.initialise()
    assert runtime.store.put(b"a repaint")


def test_an_embedded_database_makes_its_store_when_that_is_first_used(tmp_path: Path) -> None:
    runtime = Runtime(Settings(data_dir=tmp_path / "data"))
    _ = runtime.database, runtime.store
    assert not (tmp_path / "data/store").exists()

    content_hash = runtime.store.put(b"a repaint")

    assert runtime.store.get(content_hash) == b"a repaint"
    assert runtime.store.files.marker() == read_store_id(runtime.database)
    runtime.close()


def test_a_store_that_a_database_knows_is_not_made_a_second_time(runtime: Runtime, place: Path, tmp_path: Path) -> None:
    runtime.initialise()
    place.rename(tmp_path / "unmounted")

    with pytest.raises(StoreUnavailable, match="is not there: is the disk mounted"):
        runtime.initialise()

    assert not place.exists()


def test_a_host_that_is_pointed_at_another_place_is_refused_there(runtime: Runtime, database: Database, tmp_path: Path) -> None:
    runtime.initialise()
    elsewhere = runtime_of(database, tmp_path / "elsewhere", tmp_path)

    with pytest.raises(StoreUnavailable, match="paragone init --adopt-store"):
        elsewhere.store.put(b"a repaint")

    assert not (tmp_path / "elsewhere").exists()
    elsewhere.close()


def test_a_database_without_a_store_adopts_one_that_has_a_marker(runtime: Runtime, place: Path) -> None:
    marked = Store.create(str(place))

    runtime.initialise()

    assert read_store_id(runtime.database) == marked.files.marker()


def test_a_migrated_database_adopts_the_folder_that_holds_its_blobs(runtime: Runtime, place: Path) -> None:
    marked = Store.create(str(place))
    hashes = [marked.put(b"blob %d" % number) for number in range(4)]
    (place / "paragone-store.json").unlink()
    name(runtime.database, *hashes, "ab" * 32)
    name(runtime.database, *(f"{number:064x}" for number in range(9)), link="/elsewhere")

    runtime.initialise()

    assert runtime.store.get(hashes[0]) == b"blob 0"
    assert rows(runtime.database) == 1


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "another store"])
def test_a_migrated_database_adopts_nothing_that_does_not_hold_its_blobs(runtime: Runtime, place: Path, there: str) -> None:
    harness = harness_of(runtime.database, 1)
    harness.run_all()
    if there == "an empty folder":
        place.mkdir()
    if there == "another store":
        Store.create(str(place)).put(b"of somebody else")

    with pytest.raises(StoreUnavailable, match=r"is the disk mounted.*--adopt-store"):
        runtime.initialise()

    assert rows(runtime.database) == 0
    assert place.exists() == (there != "nothing")
    if there == "an empty folder":
        assert list(place.iterdir()) == []

    runtime.initialise(adopt_store_there=True)
    assert runtime.store.put(b"a repaint")


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "another store"])
def test_a_store_that_was_replaced_on_purpose_is_adopted(runtime: Runtime, place: Path, tmp_path: Path, there: str) -> None:
    runtime.initialise()
    known = read_store_id(runtime.database)
    place.rename(tmp_path / "old")
    if there == "an empty folder":
        place.mkdir()
    if there == "another store":
        Store.create(str(place))

    runtime.initialise(adopt_store_there=True)

    assert runtime.store.put(b"a repaint")
    assert runtime.store.files.marker() == read_store_id(runtime.database) == known
    assert not list((place / "scratch").iterdir())


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_many_inits_at_once_make_one_store(database: Database, tmp_path: Path, kind: str) -> None:
    location = str(tmp_path / "store") if kind == "local" else f"memory://{uuid.uuid4().hex}"
    runtimes = [runtime_of(database, location, tmp_path) for _ in range(6)]
    errors: list[Exception] = []

    def initialise(runtime: Runtime) -> None:
        try:
            runtime.initialise()
        except Exception as error:  # noqa: BLE001  # all of them are shown
            errors.append(error)

    threads = [threading.Thread(target=initialise, args=(runtime,)) for runtime in runtimes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert rows(database) == 1
    assert {runtime.store.put(b"a repaint") for runtime in runtimes} == {runtimes[0].store.put(b"a repaint")}
    for runtime in runtimes:
        runtime.close()


def test_two_databases_that_make_a_store_in_one_folder_at_once_share_its_marker(place: Path) -> None:
    """The first marker wins; the second database adopts it."""
    others = [Store.create(str(place)) for _ in range(2)]

    assert others[0].files.mark("mine") == others[1].files.mark("yours") != "mine"
