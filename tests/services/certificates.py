"""A private authority for the session, as a lab would have one, and certificates that it signs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import trustme

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority that only those know who are given its file."""

    #: Its certificate in PEM form.
    file: Path
    #: Where the files of its certificates lie.
    directory: Path
    _signs: trustme.CA

    def server_context(self, *names: str, expires: datetime | None = None) -> ssl.SSLContext:
        """What a server needs to show a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._signs.issue_cert(*names, not_after=expires).configure_cert(context)
        return context

    def files(self, *names: str) -> tuple[Path, Path]:
        """The files of a new certificate for these names, and of its key."""
        issued = self._signs.issue_cert(*names)
        certificate, key = self.directory / f"{names[0]}.pem", self.directory / f"{names[0]}.key"
        issued.private_key_pem.write_to_path(key)
        for number, part in enumerate(issued.cert_chain_pems):
            part.write_to_path(certificate, append=number > 0)
        return certificate, key


def _authority(directory: Path) -> Authority:
    signs = trustme.CA()
    file = directory / "authority.pem"
    signs.cert_pem.write_to_path(file)
    return Authority(file=file, directory=directory, _signs=signs)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signed the certificates of the test servers."""
    return _authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def foreign_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another one, which signed nothing that matters."""
    return _authority(tmp_path_factory.mktemp("foreign-authority"))
