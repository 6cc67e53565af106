"""Models of the Hugging Face hub: whether one is in this host's cache, and whether it could be fetched. Needs no library of the hub."""

from __future__ import annotations

import json
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from producer.health.check import HealthCheck, failed, passed

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "models"
#: Variables that forbid the hub's library to use the network.
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
ENDPOINT = "https://huggingface.co"
_YES = {"1", "true", "yes", "on"}
UNAUTHORISED, FORBIDDEN, NOT_FOUND, REDIRECT = 401, 403, 404, 300


class _NoRedirect(HTTPRedirectHandler):
    """A file of the hub leads to another server: that it would be given is enough."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def is_offline(environment: Mapping[str, str]) -> str:
    """The variable that forbids the network; "" if none does."""
    return next((name for name in OFFLINE if environment.get(name, "").strip().lower() in _YES), "")


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Where the hub's library keeps what it fetched."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if named := environment.get(name):
            return Path(named).expanduser()
    return home_directory(environment) / "hub"


def home_directory(environment: Mapping[str, str]) -> Path:
    """Where it keeps everything, the token too."""
    if named := environment.get("HF_HOME"):
        return Path(named).expanduser()
    cache = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface"


def cached_snapshot(model: str, revision: str, environment: Mapping[str, str]) -> Path | None:
    """The folder of that revision with its weights; None if it is not in the cache, or not whole."""
    folder = cache_directory(environment) / f"models--{model.replace('/', '--')}"
    try:
        commit = (folder / "refs" / revision).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        commit = revision
    snapshot = folder / "snapshots" / commit
    # Links to blobs: one that leads nowhere was not fetched to its end.
    whole = snapshot.is_dir() and any(file.is_file() for file in snapshot.rglob("*.safetensors"))
    return snapshot if whole else None


def reach_model(model: str, revision: str, environment: Mapping[str, str], *, timeout_seconds: float) -> HealthCheck:
    """Whether the hub knows the model and would give its weights to this host; nothing is fetched."""
    endpoint = (environment.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")
    headers = {"Authorization": f"Bearer {token}"} if (token := _token(environment)) else {}
    try:
        with _ask(f"{endpoint}/api/models/{model}/revision/{revision}", headers, timeout_seconds) as answer:
            names = [str(one.get("rfilename")) for one in json.load(answer).get("siblings", ())]
        weights = next((name for name in names if name.endswith(".safetensors")), None)
        if weights is not None:
            _ask(f"{endpoint}/{model}/resolve/{revision}/{weights}", headers, timeout_seconds, method="HEAD").close()
    except HTTPError as error:
        with error:
            if error.code // 100 == REDIRECT // 100:
                return _within_reach(model)
            return _refused(model, revision, error.code, has_token=bool(token))
    except (OSError, ValueError, HTTPException, AttributeError) as error:
        text = f"{model} is not in this host's cache, and {endpoint} cannot be reached ({_cause(error)})"
        return failed(NAME, text, "connect this host, name a mirror in HF_ENDPOINT, or set PARAGONE_MODELS to local models")
    return _within_reach(model)


def _ask(url: str, headers: dict[str, str], timeout_seconds: float, *, method: str = "GET") -> Any:
    if not url.startswith(("https://", "http://")):
        raise ValueError("HF_ENDPOINT is no http(s) URL")
    return build_opener(_NoRedirect).open(Request(url, headers=headers, method=method), timeout=timeout_seconds)  # noqa: S310  # checked above


def _within_reach(model: str) -> HealthCheck:
    return passed(NAME, f"{model} is not in this host's cache yet; the hub would give it")


def _refused(model: str, revision: str, code: int, *, has_token: bool) -> HealthCheck:
    if code in {UNAUTHORISED, FORBIDDEN}:
        whose = "HF_TOKEN has no access to it" if has_token else "there is no HF_TOKEN"
        return failed(
            NAME,
            f"{model} is gated, private or unknown, and {whose} (HTTP {code})",
            f"accept its licence on {ENDPOINT}/{model}, and set HF_TOKEN of that account",
        )
    if code == NOT_FOUND:
        return failed(NAME, f"the hub has no {model} at revision {revision}", "check the name and the revision in the campaign's file")
    return failed(NAME, f"the hub answers HTTP {code} for {model}", "try again later")


def _token(environment: Mapping[str, str]) -> str:
    if token := environment.get("HF_TOKEN", "").strip():
        return token
    file = Path(environment.get("HF_TOKEN_PATH") or home_directory(environment) / "token").expanduser()
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return " ".join(str(getattr(reason, "strerror", None) or reason).split())[:120] or type(error).__name__
