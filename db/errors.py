"""What can go wrong in `db`, and the root of all errors that are shown to people.

ParagoneError           an error of any package whose text is one clear line for the person at the keyboard
└── PersistenceError
    ├── NotInitialised      no schema yet, or one older than this program
    │   └── ProgramTooOld   the schema is of a newer program, and does not take this one any more
    ├── DatabaseUnavailable the database does not answer
    │   └── DatabaseNotTrusted  its certificate is not accepted, or it does not encrypt
    ├── UnknownCampaign     no campaign of that name
    ├── CampaignDiffers     the name is taken by another configuration
    ├── CampaignCancelled   the campaign was cancelled, which is final
    ├── CampaignImported    the campaign holds imported results, of which nothing can be made
    ├── WorkerIdTaken       a living worker has that id
    ├── UnknownHost         no worker of that host was ever seen
    ├── BadConfiguration    a campaign file or setting that cannot be used
    ├── BadFilter           a filter over repaints that cannot be read
    └── StoreError          the image store cannot be read or written
        ├── StoreUnavailable    the store as a whole is away, full, or another one than the database knows
        └── BlobMissing     a blob that the database names is not in the store
"""

from __future__ import annotations


class ParagoneError(Exception):
    """Something that the person at the keyboard can fix."""


class PersistenceError(ParagoneError):
    """The database or the store cannot do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class NotInitialised(PersistenceError):
    """The database has no Paragone tables of this version: run `paragone init`."""


class ProgramTooOld(NotInitialised):
    """This program is too old for the database: install the newer Paragone."""


class DatabaseUnavailable(PersistenceError):
    """The database does not answer: check PARAGONE_DATABASE_URL and that it runs."""


class DatabaseNotTrusted(DatabaseUnavailable):
    """The database's certificate is not accepted, or it does not encrypt: somebody must mend that."""


class UnknownCampaign(PersistenceError):
    """There is no campaign of that name: `paragone status` lists them."""


class CampaignDiffers(PersistenceError):
    """A campaign of this name exists with another configuration: choose another name, or the old configuration."""


class CampaignCancelled(PersistenceError):
    """The campaign was cancelled, which is final: enqueue under another --campaign name."""


class CampaignImported(PersistenceError):
    """The campaign holds imported results, and no model to make more of them: enqueue under another --campaign name."""


class WorkerIdTaken(PersistenceError):
    """Another living worker is registered under this id: start again, each start draws a new one."""


class UnknownHost(PersistenceError):
    """No worker of that host was ever seen: `paragone status` lists the hosts."""


class BadConfiguration(PersistenceError):
    """The configuration cannot be used."""


class BadFilter(PersistenceError):
    """The filter cannot be read."""


class StoreError(PersistenceError):
    """The image store cannot be read or written: check PARAGONE_STORE_URL."""


class StoreUnavailable(StoreError):
    """The image store as a whole is away, full, or another one than the database knows: no job's fault, it is tried again."""


class BlobMissing(StoreError):
    """The store, which is there, does not hold a blob that the database names."""
