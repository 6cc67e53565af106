"""A store on S3 over TLS: every way to have credentials, and what each fault is called."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import fsspec
import pytest

from db.errors import StoreUnavailable
from db.store import Store
from tests.services.s3 import ANY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.certificates import Authority
    from tests.services.s3 import S3Server


@pytest.fixture(autouse=True)
def aws(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An environment that leads to the test server, and holds no credentials of this machine or of another test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield monkeypatch
    _forget()


def _forget() -> None:
    """Another process would know of no client that was made before."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def _give(aws: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        aws.setenv(name, value)


def _refusal(location: str) -> str:
    _forget()
    with pytest.raises(StoreUnavailable) as told:
        Store.create(location)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_store_is_made_and_used_with_a_key(aws: pytest.MonkeyPatch, s3_bucket: str) -> None:
    _give(aws, **ANY_KEY.environment)
    store = Store.create(f"s3://{s3_bucket}/paragone")

    content_hash = store.put(b"pixels")

    assert store.get(content_hash) == b"pixels"
    assert store.missing([content_hash, "0" * 64]) == {"0" * 64}
    assert [blob.byte_size for blob in store.shard(content_hash[:2]).blobs] == [6]
    store.delete(content_hash)
    assert not store.exists(content_hash)


def test_a_profile_will_do(aws: pytest.MonkeyPatch, s3_bucket: str, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[lab]\naws_access_key_id = a\naws_secret_access_key = b\n")
    _give(aws, AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"), AWS_PROFILE="lab")

    Store.create(f"s3://{s3_bucket}/paragone").check()


def test_a_role_of_a_cluster_will_do(aws: pytest.MonkeyPatch, s3_bucket: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token")
    _give(aws, AWS_ROLE_ARN="arn:aws:iam::123456789012:role/painter", AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"))

    Store.create(f"s3://{s3_bucket}/paragone").check()


def test_an_endpoint_for_s3_alone_goes_before(aws: pytest.MonkeyPatch, s3_server: S3Server, s3_bucket: str) -> None:
    _give(aws, **ANY_KEY.environment, AWS_ENDPOINT_URL="https://localhost:9", AWS_ENDPOINT_URL_S3=s3_server.url)

    Store.create(f"s3://{s3_bucket}/paragone").check()


def test_a_bucket_that_is_missing_is_told_and_not_made(aws: pytest.MonkeyPatch, s3_server: S3Server) -> None:
    _give(aws, **ANY_KEY.environment)

    assert "there is no such bucket: make it (aws s3 mb s3://NAME), or correct PARAGONE_STORE_URL" in _refusal("s3://mistyped/paragone")
    assert "mistyped" not in s3_server.buckets()
    assert "no name for a bucket" in _refusal("s3://Not_a_name!/paragone")


def test_missing_credentials_are_told(aws: pytest.MonkeyPatch, s3_bucket: str) -> None:
    assert "there are no credentials: set AWS_PROFILE" in _refusal(f"s3://{s3_bucket}/one")
    _give(aws, AWS_ACCESS_KEY_ID="half")
    assert "the credentials are incomplete: set AWS_PROFILE" in _refusal(f"s3://{s3_bucket}/one")
    _give(aws, AWS_PROFILE="gone")
    assert "there is no such profile: check AWS_PROFILE" in _refusal(f"s3://{s3_bucket}/one")


def test_wrong_keys_and_missing_rights_are_told_apart(aws: pytest.MonkeyPatch, s3_server: S3Server, s3_bucket: str) -> None:
    painter = s3_server.make_user("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    reader, stranger = s3_server.make_user("s3:ListBucket", "s3:GetObject"), s3_server.make_user()
    location = f"s3://{s3_bucket}/paragone"
    with s3_server.enforced():
        for key, cause in (
            ({**painter.environment, "AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}, "cannot be reached: the access key is not known there"),
            ({**painter.environment, "AWS_SECRET_ACCESS_KEY": "wrong"}, "cannot be reached: the secret does not belong to the access key"),
            (stranger.environment, "cannot be reached: the key or role may not do that: allow s3:ListBucket"),
            (reader.environment, "cannot be written: the key or role may not do that: allow s3:ListBucket"),
        ):
            _give(aws, **key)
            assert cause in _refusal(location)

        _give(aws, **painter.environment)
        _forget()
        assert Store.create(location).put(b"x"), "these rights are enough"


def test_an_endpoint_that_cannot_be_used_is_told(aws: pytest.MonkeyPatch, s3_bucket: str, foreign_authority: Authority) -> None:
    location = f"s3://{s3_bucket}/paragone"
    _give(aws, **ANY_KEY.environment)
    for variables, cause in (
        ({"AWS_CA_BUNDLE": str(foreign_authority.file)}, "name the right one's file in AWS_CA_BUNDLE"),
        ({"AWS_CA_BUNDLE": "/nonexistent"}, "the file that AWS_CA_BUNDLE names is not there"),
        ({"AWS_ENDPOINT_URL": "https://localhost:9"}, "nothing answers there: check AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "localhost:9"}, "AWS_ENDPOINT_URL is no URL"),
    ):
        with aws.context() as only_here:
            _give(only_here, **variables)
            assert cause in _refusal(location)
