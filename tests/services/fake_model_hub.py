"""A hub of models on loopback that takes commits by its token and gives their files to everybody: what its own client needs of it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The token that may write.
TOKEN = "hf_writer"  # noqa: S105  # of this hub alone


@dataclass
class ModelHub:
    """Its repositories: id to commits, and a commit is file name to bytes."""

    endpoint: str = ""
    private: dict[str, bool] = field(default_factory=dict)
    commits: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)

    def files(self, repository: str, revision: str = "main") -> dict[str, bytes]:
        """The files of a commit; raises `KeyError` if there is none."""
        commits = self.commits[repository]
        return commits[self.commit(repository, revision)] if commits else {}

    def commit(self, repository: str, revision: str) -> str:
        """The commit that a revision means."""
        commits = self.commits[repository]
        if revision == "main":
            return list(commits)[-1] if commits else "0" * 40
        if revision not in commits:
            raise KeyError(revision)
        return revision

    def take(self, repository: str, lines: list[dict[str, Any]]) -> str:
        """A commit as the client sends it, each line one operation."""
        added = {one["value"]["path"]: base64.b64decode(one["value"]["content"]) for one in lines if one["key"] == "file"}
        files = {**self.files(repository), **added}
        name = hashlib.sha1(repr((sorted(files.items()), len(self.commits[repository]))).encode(), usedforsecurity=False).hexdigest()
        self.commits[repository][name] = files
        return name


@contextmanager
def running_model_hub() -> Iterator[ModelHub]:
    """A hub that is empty."""
    hub = ModelHub()

    class Handler(_Handler):
        known = hub

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        hub.endpoint = f"http://127.0.0.1:{server.server_port}"
        yield hub
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    known: ModelHub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if "Content-Length" in self.headers else self._chunks()
        path = urlsplit(self.path).path
        if path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._json({"error": f"no right to write with {self.headers.get('Authorization')}"}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        else:
            self._write(path.removeprefix("/api/models/").split("/"), body)

    def do_GET(self) -> None:
        self._read(with_body=True)

    def do_HEAD(self) -> None:
        self._read(with_body=False)

    def _create(self, asked: dict[str, Any]) -> None:
        repository = f"{asked.get('organization') or 'owner'}/{asked['name']}"
        self.known.commits.setdefault(repository, {})
        self.known.private.setdefault(repository, bool(asked.get("private") or asked.get("visibility") == "private"))
        self._json({"url": f"{self.known.endpoint}/{repository}", "name": repository})

    def _write(self, parts: list[str], body: bytes) -> None:
        repository, action = "/".join(parts[:2]), parts[2]
        if action == "preupload":
            files = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in json.loads(body)["files"]]
            self._json({"files": files})
        elif action == "commit":
            name = self.known.take(repository, [json.loads(line) for line in body.splitlines() if line.strip()])
            url = f"{self.known.endpoint}/{repository}/commit/{name}"
            self._json({"success": True, "commitUrl": url, "commitOid": name})
        else:
            self._json({"error": "not here"}, 404)

    def _read(self, *, with_body: bool) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        try:
            if parts[:2] == ["api", "models"]:
                self._describe("/".join(parts[2:4]), parts[4:], with_body=with_body)
            else:
                self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]), with_body=with_body)
        except (KeyError, IndexError) as error:
            code = "RevisionNotFound" if str(error).strip("'") in self.path and "/" not in str(error) else "RepoNotFound"
            self._answer(404, b"{}", {"X-Error-Code": code}, with_body=with_body)

    def _describe(self, repository: str, rest: list[str], *, with_body: bool) -> None:
        revision = rest[1] if len(rest) > 1 else "main"
        files = self.known.files(repository, revision)
        if rest[:1] == ["tree"]:
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data, usedforsecurity=False).hexdigest()}
                for name, data in files.items()
            ]
            self._answer(200, json.dumps(entries).encode(), {}, with_body=with_body)
            return
        siblings = [{"rfilename": name} for name in files]
        facts = {"id": repository, "sha": self.known.commit(repository, revision), "siblings": siblings}
        self._answer(200, json.dumps({**facts, "private": False}).encode(), {}, with_body=with_body)

    def _file(self, repository: str, revision: str, name: str, *, with_body: bool) -> None:
        files = self.known.files(repository, revision)
        if name not in files:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"}, with_body=with_body)
            return
        data = files[name]
        headers = {"X-Repo-Commit": self.known.commit(repository, revision), "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        self._answer(200, data, headers, with_body=with_body)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _json(self, document: dict[str, Any], code: int = 200) -> None:
        self._answer(code, json.dumps(document).encode(), {}, with_body=True)

    def _answer(self, code: int, body: bytes, headers: dict[str, str], *, with_body: bool) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body)), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
