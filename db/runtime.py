"""What every command works on: the settings, the database and the store, opened when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from db.engine import connect
from db.engine.schema import check_schema, migrate
from db.store import Store

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
        database = connect(self.settings.sqlalchemy_url)
        if self.embedded_database:
            migrate(database)
        check_schema(database)
        return database

    @cached_property
    def store(self) -> Store:
        """The image store."""
        store = Store(self.settings.store_location)
        store.prepare()
        return store

    @property
    def embedded_database(self) -> bool:
        """Whether nothing is configured and SQLite under the data directory is used."""
        return not self.settings.database_url.get_secret_value()

    def close(self) -> None:
        """Close the connections to the database; harmless if there are none."""
        if "database" in self.__dict__:
            self.database.dispose()

    def initialise(self) -> None:
        """Create or migrate the database and the store."""
        database = connect(self.settings.sqlalchemy_url)
        migrate(database)
        database.dispose()
        self.store.prepare()
