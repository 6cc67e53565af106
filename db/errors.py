"""What can go wrong in the ground room, and the root of all errors that are told to people.

ParagoneError           an error of any room whose text is one clear line for the person at the keyboard
└── RecordError
    ├── NotInitialised      no schema yet, or one older or newer than this program
    ├── DatabaseUnreachable the database does not answer
    ├── UnknownCampaign     no campaign of that name
    ├── CampaignDiffers     the name is taken by another configuration
    ├── BadConfiguration    a campaign file or setting that cannot be used
    └── StoreError          the image store cannot be read or written
        └── BlobMissing     a blob that the record names is not in the store
"""

from __future__ import annotations


class ParagoneError(Exception):
    """Something that the person at the keyboard can mend."""


class RecordError(ParagoneError):
    """The record cannot do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class NotInitialised(RecordError):
    """The database has no Paragone tables of this version: run `paragone init`."""


class DatabaseUnreachable(RecordError):
    """The database does not answer: check PARAGONE_DATABASE_URL and that it runs."""


class UnknownCampaign(RecordError):
    """There is no campaign of that name: `paragone status` lists them."""


class CampaignDiffers(RecordError):
    """A campaign of this name exists with another configuration: choose another name, or the old configuration."""


class BadConfiguration(RecordError):
    """The configuration cannot be used."""


class StoreError(RecordError):
    """The image store cannot be read or written: check PARAGONE_STORE_URL."""


class BlobMissing(StoreError):
    """The store does not hold a blob that the record names."""
