"""An OpenAI-compatible endpoint on loopback that behaves as a test says: well, badly, or not at all."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Bytes that a dripping answer sends at a time, and the seconds between.
DRIP_BYTES, DRIP_SECONDS = 1, 0.02


@dataclass(frozen=True, kw_only=True)
class ServerAnswer:
    """What the server does with one request."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    #: Sends the first half and hangs up.
    cut: bool = False
    #: Sends nothing until the server ends.
    hold: bool = False
    #: Sends byte after byte.
    drip: bool = False


def said(text: str | None, *, finish: str = "stop", tokens: int | None = 30, **message: Any) -> ServerAnswer:
    """A whole chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    document: dict[str, Any] = {"id": "x", "object": "chat.completion", "choices": [choice]}
    if tokens is not None:
        document["usage"] = {"total_tokens": tokens}
    return ServerAnswer(body=json.dumps(document).encode())


def refused(status: int, message: str = "", **headers: str) -> ServerAnswer:
    """An error as these servers write it; `headers` have underscores for hyphens."""
    body = json.dumps({"error": {"message": message}}).encode()
    return ServerAnswer(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def good_prompt(request: dict[str, Any]) -> str:
    """A prompt that can be used, another one for each seed."""
    return f"a lighthouse of green glass number {request['seed']}, neon rain over wet copper roofs, lanterns in low fog"


@dataclass(kw_only=True)
class ChatServer:
    """The server's address, what it was asked, and what it is to do."""

    url: str = ""
    #: Called with each request's body.
    answer: Callable[[dict[str, Any]], ServerAnswer] = lambda request: said(good_prompt(request))
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    #: The most requests that were answered at one time.
    together: int = 0
    release: threading.Event = field(default_factory=threading.Event)
    _running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, path: str, headers: dict[str, str], request: dict[str, Any]) -> None:
        """A request has come."""
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            self.requests.append(request)
            self._running += 1
            self.together = max(self.together, self._running)

    def leave(self) -> None:
        """A request is answered."""
        with self._lock:
            self._running -= 1


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """A server until the end of the block."""
    server = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.enter(self.path, dict(self.headers), request)
            try:
                _send(self, server.answer(request), server.release)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                server.leave()

        def do_GET(self) -> None:
            server.paths.append(self.path)
            _send(self, ServerAnswer(body=b"{}"), server.release)

        def log_message(self, *_: Any) -> None:
            """Nothing: tests look at what was asked."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    try:
        yield server
    finally:
        server.release.set()
        http.shutdown()
        http.server_close()
        thread.join(10)


def _send(handler: BaseHTTPRequestHandler, answer: ServerAnswer, release: threading.Event) -> None:
    handler.close_connection = True
    if answer.hold:
        release.wait(30)
        return
    handler.send_response(answer.status)
    handler.send_header("Content-Type", answer.content_type)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.send_header("Connection", "close")
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    body = answer.body[: len(answer.body) // 2] if answer.cut else answer.body
    step = DRIP_BYTES if answer.drip else max(1, len(body))
    for start in range(0, len(body), step):
        if answer.drip and release.is_set():
            return
        handler.wfile.write(body[start : start + step])
        handler.wfile.flush()
        if answer.drip:
            time.sleep(DRIP_SECONDS)
