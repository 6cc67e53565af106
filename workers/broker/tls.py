"""Encrypted connections to a configured broker: certificates are checked, unless the URL says otherwise.

Celery's and kombu's own default for `rediss://` takes every certificate, and for `amqps://` the one of any host. Parameters of the URL
(`ssl_cert_reqs`, `ssl_ca_certs`, ...) are what people of Redis and Celery know; here they are read for RabbitMQ too.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from workers.broker.errors import BadBrokerUrl

if TYPE_CHECKING:
    from pathlib import Path

ENCRYPTED_SCHEMES = {"rediss", "amqps"}
_CHECKS = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_PARAMETERS = ("ssl_cert_reqs", "ssl_check_hostname", *_FILES)
#: What py-amqp calls the parameters that it knows.
_AMQP_FILES = {"ssl_ca_certs": "ca_certs", "ssl_certfile": "certfile", "ssl_keyfile": "keyfile"}


def with_checks(url: str, authority: Path | None) -> str:
    """The URL with all that decides about certificates written out, the same for each of a list; unchanged if nothing is encrypted.

    Args:
        url: one URL, or several with ";" between, sound otherwise.
        authority: PEM file of the authority that signed the broker's certificate; None: one that the system knows.

    Raises:
        BadBrokerUrl: parameters that are unknown or contradict each other, or files that are not there.
    """
    parts = [_split(one.strip()) for one in url.split(";")]
    encrypted = [_is_encrypted(bare, given) for bare, given, _ in parts]
    if not any(encrypted):
        if authority is not None:
            raise BadBrokerUrl(
                "PARAGONE_BROKER_CA is set, but PARAGONE_BROKER_URL is not encrypted: write rediss:// or amqps://, or unset the former"
            )
        return url
    if not all(encrypted):
        raise BadBrokerUrl("PARAGONE_BROKER_URL lists encrypted and unencrypted brokers: write rediss:// or amqps:// in each")
    agreed: dict[str, str] = {}
    for _, given, _ in parts:
        for name, value in given.items():
            if agreed.setdefault(name, value) != value:
                raise BadBrokerUrl(f"PARAGONE_BROKER_URL gives {name} two values: all brokers of a list are checked alike")
    agreed.setdefault("ssl_cert_reqs", "required")
    if authority is not None:
        agreed.setdefault("ssl_ca_certs", str(authority))
    _check(agreed)
    return ";".join(f"{bare}?{urlencode({**other, **agreed}, safe='/')}" for bare, _, other in parts)


def is_encrypted(url: str) -> bool:
    """Whether the broker at `url` is spoken to by TLS."""
    return any(_is_encrypted(bare, given) for bare, given, _ in (_split(one.strip()) for one in url.split(";")))


def unchecked(url: str) -> str | None:
    """A warning, if the URL says that not every certificate is refused that should be."""
    _, given, _ = _split(url.split(";", maxsplit=1)[0])
    if given.get("ssl_cert_reqs") == "none":
        return "PARAGONE_BROKER_URL takes any certificate (ssl_cert_reqs=none): whoever sits between can read and write all messages"
    if _is_false(given.get("ssl_check_hostname", "")):
        return "PARAGONE_BROKER_URL takes the certificate of any host (ssl_check_hostname=false)"
    return None


def connection_options(url: str) -> tuple[str, dict[str, Any] | None]:
    """The URL without its parameters about TLS, and what they mean as kombu's `ssl` and Celery's `broker_use_ssl`; None: not encrypted."""
    parts = [_split(one.strip()) for one in url.split(";")]
    if not is_encrypted(url):
        return url, None
    bare = ";".join(f"{one}?{urlencode(other)}" if other else one for one, _, other in parts)
    address, given, _ = parts[0]
    if address.partition("://")[0] in {"amqp", "amqps"}:
        return bare, _amqp_options(address, given)
    checks = _CHECKS[given.get("ssl_cert_reqs", "required")]
    names = checks != ssl.CERT_NONE and not _is_false(given.get("ssl_check_hostname", ""))
    return bare, {
        "ssl_cert_reqs": checks,
        "ssl_check_hostname": names,
        **{name: given[name] for name in _FILES if name in given},
    }


def _amqp_options(address: str, given: dict[str, str]) -> dict[str, Any]:
    checks = _CHECKS[given.get("ssl_cert_reqs", "required")]
    options: dict[str, Any] = {"cert_reqs": checks} | {_AMQP_FILES[name]: given[name] for name in _FILES if name in given}
    if checks != ssl.CERT_NONE and not _is_false(given.get("ssl_check_hostname", "")):
        # py-amqp checks the name only if it is told one. Of a list, each broker must be able to show the first one's.
        options["server_hostname"] = urlsplit(address).hostname or "localhost"
    return options


def _split(url: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The URL without parameters, those about TLS, and the others."""
    bare, _, query = url.partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    about_tls = {name: value for name, value in parameters.items() if name.startswith("ssl_")}
    if "ssl_cert_reqs" in about_tls:
        about_tls["ssl_cert_reqs"] = about_tls["ssl_cert_reqs"].lower().removeprefix("cert_")
    return bare, about_tls, {name: value for name, value in parameters.items() if name not in about_tls}


def _is_encrypted(bare: str, given: dict[str, str]) -> bool:
    return bare.partition("://")[0].split("+")[0] in ENCRYPTED_SCHEMES or bool(given)


def _check(agreed: dict[str, str]) -> None:
    unknown = sorted(set(agreed) - set(_PARAMETERS))
    if unknown:
        raise BadBrokerUrl(f"PARAGONE_BROKER_URL has an unknown parameter {unknown[0]}: there are {', '.join(sorted(_PARAMETERS))}")
    if agreed["ssl_cert_reqs"] not in _CHECKS:
        raise BadBrokerUrl(f"PARAGONE_BROKER_URL has ssl_cert_reqs={agreed['ssl_cert_reqs']}: write required, optional or none")
    try:
        context = ssl.create_default_context(cafile=agreed.get("ssl_ca_certs"))
    except FileNotFoundError:
        raise BadBrokerUrl(f"there is no file {agreed['ssl_ca_certs']}, which PARAGONE_BROKER_CA or ssl_ca_certs names") from None
    except OSError as error:  # ssl.SSLError is one
        raise BadBrokerUrl(f"{agreed['ssl_ca_certs']} cannot be read as certificates in PEM form ({error.strerror})") from None
    if "ssl_certfile" in agreed:
        try:
            context.load_cert_chain(agreed["ssl_certfile"], agreed.get("ssl_keyfile"), password=lambda: "")
        except OSError as error:
            raise BadBrokerUrl(f"the client's certificate {agreed['ssl_certfile']} or its key cannot be read ({error.strerror})") from None


def _is_false(value: str) -> bool:
    return value.strip().lower() in {"false", "0", "no"}
