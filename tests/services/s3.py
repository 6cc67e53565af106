"""One S3 for the session, over TLS: moto's server in a process of its own, with users and rights where a test asks for them."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import ssl
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]
import pytest

from tests.services.guard import guarded, short_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.certificates import Authority

REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Key:
    """An access key and its secret."""

    id: str
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that tell it to every client."""
        return {"AWS_ACCESS_KEY_ID": self.id, "AWS_SECRET_ACCESS_KEY": self.secret}


#: While no rights are enforced every key will do.
ANY_KEY = Key(id="anybody", secret="anything")  # noqa: S106  # of this server alone


@dataclass(frozen=True, kw_only=True)
class S3Server:
    """A running server."""

    #: Its address, https://.
    url: str
    #: The file of the authority that signed its certificate.
    authority_file: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs besides a key."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.authority_file),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def make_bucket(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"bucket-{next(self._numbers)}"
        with self._client("s3") as client:
            client.create_bucket(Bucket=name)
        return name

    def buckets(self) -> set[str]:
        """The names of all buckets."""
        with self._client("s3") as client:
            return {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}

    def make_user(self, *allowed: str) -> Key:
        """A key of a new user who may do that much, such as "s3:GetObject"."""
        name = f"user-{next(self._numbers)}"
        with self._client("iam") as client:
            client.create_user(UserName=name)
            if allowed:
                statement = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
                policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
                client.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=policy)
            made = client.create_access_key(UserName=name)["AccessKey"]
        return Key(id=made["AccessKeyId"], secret=made["SecretAccessKey"])

    @contextlib.contextmanager
    def enforced(self) -> Iterator[None]:
        """Keys are checked and rights enforced while the block runs."""
        self.ask("moto-api/reset-auth", b"0")
        try:
            yield
        finally:
            self.ask("moto-api/reset-auth", b"inf")

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self.ask("moto-api/")
        except OSError:
            return False
        return True

    def ask(self, path: str, data: bytes | None = None) -> bytes:
        """A request to the server's own interface."""
        headers = {"Content-Type": "text/plain"} if data else {}
        request = urllib.request.Request(f"{self.url}/{path}", data=data, headers=headers)  # noqa: S310  # https
        context = ssl.create_default_context(cafile=self.authority_file)
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310
            found: bytes = answer.read()
        return found

    @contextlib.contextmanager
    def _client(self, service: str) -> Iterator[Any]:
        key = {"aws_access_key_id": ANY_KEY.id, "aws_secret_access_key": ANY_KEY.secret}
        client = boto3.client(service, endpoint_url=self.url, verify=str(self.authority_file), region_name=REGION, **key)
        with contextlib.closing(client):
            yield client


@pytest.fixture(scope="session")
def s3_server(authority: Authority) -> Iterator[S3Server]:
    """An S3 on a loopback port, whose certificate is for localhost."""
    certificate, key = authority.files("localhost", "127.0.0.1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = S3Server(url=f"https://localhost:{port}", authority_file=authority.file)
    program = str(Path(sys.executable).with_name("moto_server"))
    command = [program, "-H", "127.0.0.1", "-p", str(port), "-c", str(certificate), "-k", str(key)]
    with short_directory("paragone-s3-") as directory, guarded(command, directory, server.answers):
        yield server


@pytest.fixture
def s3_bucket(s3_server: S3Server) -> str:
    """The name of an empty bucket."""
    return s3_server.make_bucket()
