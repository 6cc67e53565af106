"""The broker's URL: checked before anything uses it, and never shown with its password."""

from __future__ import annotations

import re
from urllib.parse import unquote

from kombu.transport import TRANSPORT_ALIASES

from workers.broker.errors import BadBrokerUrl

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9.+-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_FORM = "write redis://:password@host:6379/0 or amqp://user:password@host:5672//"
_ESCAPE = "write @ as %40, / as %2F, # as %23, ? as %3F and : as %3A in a user name or password"
HIGHEST_PORT = 65_535


def check_broker_url(url: str) -> None:
    """Raise `BadBrokerUrl`, which holds no piece of the URL but its scheme, unless kombu can use every URL of the list `url`."""
    for one in url.split(";"):
        _check(one.strip())


def without_password(text: object, url: str) -> str:
    """The text of an error on one line, with `***` wherever the password of `url` stood."""
    shown = " ".join(str(text).split())
    for password in sorted(_passwords(url), key=len, reverse=True):
        shown = shown.replace(password, "***")
    return shown


def speaks_redis(url: str) -> bool:
    """Whether the broker at `url` is a Redis or Valkey."""
    return url.partition("://")[0].split("+")[0] in {"redis", "rediss", "sentinel"}


def _check(url: str) -> None:
    parts = _URL.fullmatch(url)
    if parts is None:
        raise BadBrokerUrl(f"PARAGONE_BROKER_URL is not a URL: {_FORM}")
    scheme, authority, rest = parts["scheme"], parts["authority"], parts["rest"]
    if scheme.split("+")[0] not in TRANSPORT_ALIASES:
        raise BadBrokerUrl(f"PARAGONE_BROKER_URL begins with {scheme}://, which is no broker: {_FORM}")
    # A password that holds one of these characters ends the authority early, or begins the host too early.
    if authority.count("@") > 1 or (authority and "@" in rest):
        raise BadBrokerUrl(f"PARAGONE_BROKER_URL has a password with a character that must be escaped: {_ESCAPE}")
    host = authority.rpartition("@")[2]
    port = host.rpartition("]")[2].partition(":")[2]
    if port and not (port.isascii() and port.isdecimal() and int(port) <= HIGHEST_PORT):
        raise BadBrokerUrl(f"PARAGONE_BROKER_URL has a port that is no number up to {HIGHEST_PORT}: {_FORM}; {_ESCAPE}")


def _passwords(url: str) -> set[str]:
    found = set()
    for one in url.split(";"):
        parts = _URL.fullmatch(one.strip())
        if parts is not None and "@" in parts["authority"]:
            password = parts["authority"].rpartition("@")[0].partition(":")[2]
            found |= {password, unquote(password)}
    return found - {""}
