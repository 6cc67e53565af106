"""What every command works on: the settings, the database and the store, opened when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from db.engine import connect
from db.engine.schema import check_schema, migrate
from db.errors import StoreUnavailable
from db.store import Store, display_location
from db.store.founding import adopt_store, found_store
from db.store.identity import read_store_id

if TYPE_CHECKING:
    from db.engine import Database
    from db.settings import Settings


class Runtime:
    """Settings, database and store of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def database(self) -> Database:
        """The database, its schema checked.

        The default SQLite file makes itself; a configured database is initialised by `paragone init`.

        Raises:
            NotInitialised: the tables are missing or of another version.
            DatabaseUnavailable: it does not answer.
        """
        database = self._connect()
        if self.embedded_database:
            migrate(database)
        check_schema(database)
        return database

    @cached_property
    def store(self) -> Store:
        """The image store; opened when it is first used, so that a store that is away is told then, by every call, until it is back.

        Raises:
            StoreError: no file system knows its URL.
        """
        return Store(self.settings.store_location, store_id=self._store_id)

    @property
    def embedded_database(self) -> bool:
        """Whether nothing is configured and SQLite under the data directory is used."""
        return not self.settings.database_url.get_secret_value()

    def close(self) -> None:
        """Close the connections to the database; harmless if there are none."""
        if "database" in self.__dict__:
            self.database.dispose()

    def initialise(self, *, adopt_store_there: bool = False) -> None:
        """Create or migrate the database and the store; harmless if they are there.

        Args:
            adopt_store_there: whatever lies at the store's location is the database's store from now on: it was moved, emptied or replaced.

        Raises:
            StoreUnavailable: the store that the database knows is not there, or cannot be made.
        """
        database = self._connect()
        try:
            migrate(database)
            adopt_store(database, self.store) if adopt_store_there else found_store(database, self.store)
        finally:
            database.dispose()
        self.store.check()

    def _store_id(self) -> str:
        if self.embedded_database:
            return found_store(self.database, self.store)
        found = read_store_id(self.database)
        if found is None:
            place = display_location(self.settings.store_location)
            raise StoreUnavailable(f"the database knows no store yet: run `paragone init` on a host that has the store at {place}")
        return found

    def _connect(self) -> Database:
        settings = self.settings
        return connect(
            settings.sqlalchemy_url, timeout_seconds=settings.database_timeout_seconds, connections=settings.database_connections
        )
