"""Pages that Paragone's Flower adds or changes: the metrics behind the login, and the prefix without its slash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flower.views.monitor import Metrics
from tornado.web import RedirectHandler, authenticated

from producer.errors import WrongUse

if TYPE_CHECKING:
    from flower.app import Flower

#: Names between slashes that mean the same to a browser, a proxy and a regular expression.
_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


class PrivateMetrics(Metrics):  # type: ignore[misc]  # Flower has no types
    """Flower's `/metrics` for those who have its password: it tells hosts and counts to anybody otherwise."""

    @authenticated  # type: ignore[untyped-decorator]  # Tornado has no types for it
    async def get(self) -> None:
        """The metrics."""
        await super().get()


def add_handlers(flower: Flower, *, prefix: str) -> None:
    """Put these before Flower's own; `prefix` as `clean_prefix` gives it."""
    before = f"/{prefix}" if prefix else ""
    rules: list[tuple[Any, ...]] = [(f"{before}/metrics", PrivateMetrics)]
    if prefix:
        rules.append((before, RedirectHandler, {"url": f"{before}/", "permanent": False}))
    flower.add_handlers(r".*", rules)


def clean_prefix(prefix: str) -> str:
    """The path without slashes at its ends; raises `WrongUse` for one that cannot be a path."""
    clean = prefix.strip().strip("/")
    if clean and not _PREFIX.fullmatch(clean):
        raise WrongUse(f"the URL prefix {prefix!r} cannot be used: letters, digits, - and _, with / between, such as tools/flower")
    return clean
