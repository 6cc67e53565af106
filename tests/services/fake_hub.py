"""A hub of models on loopback: it knows some, and keeps those that are gated from who has no token."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The token that gated models are given for.
TOKEN = "hf_right"  # noqa: S105  # of this hub alone


class _Hub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if "/known/" not in self.path and "/gated/" not in self.path:
            self._answer(404)
        else:
            self._answer(200, json.dumps({"siblings": [{"rfilename": "README.md"}, {"rfilename": "model.safetensors"}]}).encode())

    def do_HEAD(self) -> None:
        allowed = "/gated/" not in self.path or self.headers.get("Authorization") == f"Bearer {TOKEN}"
        self._answer(302 if allowed else 401)

    def _answer(self, code: int, body: bytes = b"") -> None:
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "http://127.0.0.1:1/gigabytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_hub() -> Iterator[str]:
    """The endpoint of a hub that knows `known/...` and `gated/...`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
