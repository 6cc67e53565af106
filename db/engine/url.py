"""The database's URL: what cannot work is refused in one line, which shows no piece of a password."""

from __future__ import annotations

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from db.errors import BadConfiguration

#: How a URL should look.
PLAIN = "postgresql://user@host/name"

_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_ENCODED = "percent-encoded (@ as %40, / as %2F, # as %23, ? as %3F)"
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_HIGHEST_PORT = 65535


def parse_url(written: str | URL) -> URL:
    """The URL with the driver that Paragone uses; raises `BadConfiguration` for one that cannot work."""
    if isinstance(written, URL):
        return written
    scheme, mark, rest = written.partition("://")
    if not mark:
        raise BadConfiguration(f"PARAGONE_DATABASE_URL is not a URL: write {PLAIN} or sqlite:///file")
    if written != written.strip() or written[0] in "'\"":
        raise BadConfiguration("PARAGONE_DATABASE_URL has quotes or blanks around it: remove them")
    if scheme != scheme.lower():
        raise BadConfiguration(f"PARAGONE_DATABASE_URL begins with {scheme}: write it in small letters, as in {PLAIN}")
    if scheme.startswith("postgres"):
        _check_server(rest)
    try:
        return make_url(f"{_DRIVERS.get(scheme, scheme)}://{rest}")
    except (ArgumentError, ValueError):
        raise BadConfiguration(f"PARAGONE_DATABASE_URL is not a URL: write {PLAIN} or sqlite:///file") from None


def display_url(url: str | URL) -> str:
    """The URL as it may be shown: with `***` for a password."""
    return parse_url(url).render_as_string(hide_password=True)


def _check_server(rest: str) -> None:
    """Refuse what would be read as another host, port or name than the one that was meant."""
    end = re.search(r"[/?#]", rest)
    authority, after = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    path, _, query = after.partition("?")
    astray = any("@" in field and "=" not in field.partition("@")[0] for field in query.split("&"))
    if authority.count("@") > 1 or "@" in path or astray:
        raise BadConfiguration(f"PARAGONE_DATABASE_URL: the user or the password contains characters that must be {_ENCODED}")
    server = authority.rpartition("@")[2]
    if "," in server:
        raise BadConfiguration("PARAGONE_DATABASE_URL names two hosts: write postgresql://user@/name?host=first:5432&host=second:5432")
    found = _HOST.fullmatch(server)
    if found is None or not 0 < int(found["port"] or _HIGHEST_PORT) <= _HIGHEST_PORT:
        # The text stays untold: it may be a piece of a password.
        raise BadConfiguration(
            f"PARAGONE_DATABASE_URL: the port is no number up to {_HIGHEST_PORT}, or the password contains what must be {_ENCODED}"
        )
