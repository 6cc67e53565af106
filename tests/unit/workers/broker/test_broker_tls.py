"""What a broker's URL says about TLS: written out, the same for all brokers of a list, and refused where it cannot be meant."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from workers.broker import BadBrokerUrl
from workers.broker.tls import connection_options, unchecked, with_checks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The certificate of an authority."""
    path = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return path


@pytest.mark.parametrize("url", ["redis://:a%40b@host/0", "redis+socket:///tmp/x.sock?virtual_host=0", "amqp://host//", "memory://"])
def test_what_is_not_encrypted_stays_as_it_is(url: str) -> None:
    assert with_checks(url, None) == url
    assert connection_options(url) == (url, None)


def test_certificate_and_host_are_checked_by_default(file: Path) -> None:
    assert connection_options(with_checks("rediss://:a%40b@host:6380/0", None)) == (
        "rediss://:a%40b@host:6380/0",
        {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True},
    )
    assert connection_options(with_checks("amqps://u:p@host//", file)) == (
        "amqps://u:p@host//",
        {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": str(file), "server_hostname": "host"},
    )


def test_every_broker_of_a_list_is_checked_alike(file: Path) -> None:
    url, options = connection_options(with_checks(f"rediss://one/0?ssl_ca_certs={file};rediss://two/0?timeout=3", None))

    assert url == "rediss://one/0;rediss://two/0?timeout=3"
    assert options == {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": str(file)}


@pytest.mark.parametrize("written", ["none", "CERT_NONE"])
def test_only_the_url_switches_checks_off(written: str) -> None:
    url = with_checks(f"rediss://host/0?ssl_cert_reqs={written}", None)

    assert connection_options(url)[1] == {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}
    assert "takes any certificate" in str(unchecked(url))
    assert unchecked(with_checks("rediss://host/0", None)) is None


def test_the_urls_own_authority_goes_before_the_settings(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)

    options = connection_options(with_checks(f"rediss://host/0?ssl_ca_certs={other}", file))[1]

    assert options is not None
    assert options["ssl_ca_certs"] == str(other)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("redis://host/0", "PARAGONE_BROKER_CA is set, but PARAGONE_BROKER_URL is not encrypted"),
        ("rediss://one/0;redis://two/0", "encrypted and unencrypted"),
        ("rediss://one/0?ssl_cert_reqs=none;rediss://two/0?ssl_cert_reqs=required", "gives ssl_cert_reqs two values"),
        ("rediss://host/0?ssl_cert_reqs=maybe", "write required, optional or none"),
        ("rediss://host/0?ssl_ca_cert=x", "unknown parameter ssl_ca_cert: there are ssl_ca_certs"),
        ("rediss://host/0?ssl_ca_certs=/nonexistent", "there is no file /nonexistent"),
        ("rediss://host/0?ssl_certfile=/nonexistent", "the client's certificate /nonexistent or its key cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(url: str, cause: str, file: Path) -> None:
    with pytest.raises(BadBrokerUrl, match=cause) as told:
        with_checks(url, file)
    assert "\n" not in str(told.value)


def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()

    with pytest.raises(BadBrokerUrl, match="cannot be read as certificates in PEM form"):
        with_checks("rediss://host/0", tmp_path / "empty.pem")
