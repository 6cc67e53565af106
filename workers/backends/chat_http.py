"""One POST to a chat endpoint: bounded in time as a whole and in size, never redirected, and never more than its answer told."""

from __future__ import annotations

import http.client
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from email.message import Message

#: Bytes of an answer at most.
LONGEST_ANSWER = 4 << 20
#: Seconds to which a server's wish to wait is cut.
LONGEST_WAIT = 3600.0


class NoReply(Exception):
    """The connection was refused, was lost, or brought no whole answer in time."""

    def __init__(self, cause: object, *, timed_out: bool = False) -> None:
        super().__init__(" ".join(str(cause).split()) or type(cause).__name__)
        self.timed_out = timed_out


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a server answered, whatever its status."""

    status: int
    reason: str
    content_type: str
    #: Seconds that it asks to wait; None if it does not.
    retry_after: float | None
    body: bytes


def post(url: str, body: bytes, headers: Mapping[str, str], *, connect_seconds: float, answer_seconds: float) -> Reply:
    """The server's answer. `headers` may hold a key: it goes to this URL alone. Raises `NoReply`."""
    deadline = _Deadline(answer_seconds)
    request = Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310  # the settings let http and https alone pass
    try:
        with deadline:
            return _sent(request, _opener(url, deadline), connect_seconds)
    except (NoReply, OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        if deadline.is_over or isinstance(cause, TimeoutError):
            seconds = answer_seconds if deadline.began else connect_seconds
            raise NoReply(f"no {'answer' if deadline.began else 'connection'} within {seconds:g} s", timed_out=True) from None
        raise NoReply(str(error) if isinstance(error, NoReply) else _shown(cause)) from None


def _sent(request: Request, opener: OpenerDirector, connect_seconds: float) -> Reply:
    try:
        with opener.open(request, timeout=connect_seconds) as answer:
            return _reply(answer.status, answer.reason, answer.headers, answer)
    except HTTPError as error:
        with error:
            return _error_reply(error)


def wait_asked(value: str | None) -> float | None:
    """The seconds of a Retry-After header, which holds seconds or a date; None for none, and for what is neither."""
    if not value:
        return None
    seconds: float | None = None
    with suppress(ValueError):
        seconds = float(value)
    if seconds is None:
        try:
            moment = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(LONGEST_WAIT, max(0.0, seconds)) if seconds == seconds else None  # noqa: PLR0124  # not a number


class _Deadline:
    """Cuts a connection off when its answer takes too long, however slowly bytes drip in."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        #: Whether a connection stood.
        self.began = False
        self.is_over = False

    def watch(self, connection: socket.socket) -> None:
        """The connection stands: from now on the answer is waited for."""
        self.began = True
        connection.settimeout(self._seconds)
        self._timer = threading.Timer(self._seconds, partial(self._cut, connection))
        self._timer.daemon = True
        self._timer.start()

    def _cut(self, connection: socket.socket) -> None:
        self.is_over = True
        with suppress(OSError):
            connection.shutdown(2)

    def __enter__(self) -> None:
        """Nothing to do before a connection stands."""

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


class _NoRedirect(HTTPRedirectHandler):
    """What redirects is an answer like any other: a key must not follow it to another server."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Connection(http.client.HTTPConnection):
    """Watched from the moment when it stands."""

    def __init__(self, *arguments: Any, deadline: _Deadline, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline = deadline

    def connect(self) -> None:
        super().connect()
        self._deadline.watch(self.sock)


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    """Over TLS."""


class _PlainHandler(HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, deadline=self._deadline), req)


class _SecureHandler(HTTPSHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: Request) -> http.client.HTTPResponse:
        context = ssl.create_default_context()
        return self.do_open(partial(_SecureConnection, deadline=self._deadline), req, context=context)


def _opener(url: str, deadline: _Deadline) -> OpenerDirector:
    # The usual proxies of the environment, but for a server on this host none is needed.
    proxies = [ProxyHandler({})] if is_loopback(url) else []
    return build_opener(_NoRedirect(), _PlainHandler(deadline), _SecureHandler(deadline), *proxies)


def is_loopback(url: str) -> bool:
    """Whether a URL names this host."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _reply(status: int, reason: str, headers: Message, stream: Any) -> Reply:
    body = b"".join(_pieces(stream))
    content_type = headers.get_content_type() if headers.get("Content-Type") else ""
    wait = wait_asked(headers.get("Retry-After"))
    return Reply(status=status, reason=reason or "", content_type=content_type, retry_after=wait, body=body)


def _pieces(stream: Any) -> Iterator[bytes]:
    left = LONGEST_ANSWER
    while left > 0 and (piece := stream.read(min(left, 65_536))):
        left -= len(piece)
        yield piece
    if getattr(stream, "length", None):  # the http.client module itself takes a short body for the whole
        raise NoReply("the answer breaks off")
    if left <= 0:
        raise NoReply(f"an answer of more than {LONGEST_ANSWER:,} bytes")


def _error_reply(error: HTTPError) -> Reply:
    """An error's body only informs: without it the status still tells."""
    try:
        body = error.read(65_536) if error.fp is not None else b""
    except (OSError, http.client.HTTPException, ValueError):
        body = b""
    content_type = error.headers.get_content_type() if error.headers.get("Content-Type") else ""
    wait = wait_asked(error.headers.get("Retry-After"))
    return Reply(status=error.code, reason=str(error.reason or ""), content_type=content_type, retry_after=wait, body=body)


def _shown(cause: object) -> str:
    if isinstance(cause, http.client.IncompleteRead):
        return "the answer breaks off"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
