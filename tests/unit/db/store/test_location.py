from __future__ import annotations

import pytest

from db.store import display_location
from db.store.location import without_secrets


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/data/store", "/data/store"),
        ("/data/what?/a@b:c", "/data/what?/a@b:c"),
        ("s3://bucket/folder@2", "s3://bucket/folder@2"),
        ("s3://key@bucket/folder", "s3://key@bucket/folder"),
        ("sftp://me:hush@host:22/store", "sftp://me:***@host:22/store"),
        ("sftp://me:hu@sh/2@host/store", "sftp://me:***@host/store"),
        ("simplecache::sftp://me:hush@host/store", "simplecache::sftp://me:***@host/store"),
        ("https://host/store?signature=hush", "https://host/store?***"),
    ],
)
def test_a_password_in_the_location_of_a_store_is_not_shown(location: str, shown: str) -> None:
    assert display_location(location) == shown


def test_a_password_that_a_library_repeats_is_not_shown() -> None:
    text = without_secrets("login with hush at sftp://me:hush@host/store failed", "sftp://me:hush@host/store")

    assert text == "login with *** at sftp://me:***@host/store failed"
