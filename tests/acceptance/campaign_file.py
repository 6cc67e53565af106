"""Campaign files whose every backend is a fake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def fake_campaign(
    path: Path, *, batch: int = 4, caption: dict[str, Any] | None = None, repaint: dict[str, Any] | None = None, levels: int = 1
) -> Path:
    """Write a campaign file with one level or two; `caption` and `repaint` are settings of those fakes (see `workers.backends.fakes`)."""
    level = {"backend": "fake-repaint", "model": "", "steps": 4, "strength": 0.5, "batch": batch, "settings": repaint or {}}
    sections: dict[str, dict[str, Any]] = {
        "caption": {"backend": "fake-caption", "model": "", "batch": batch, "settings": caption or {}},
        "prompt": {"backend": "fake-prompt", "batch": batch},
        "picture": {"size": 64},
        **{f"level.{name}": level for name in ("moderate", "radical")[:levels]},
    }
    text = "\n".join(f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in body.items()) for name, body in sections.items())
    path.write_text(text)
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)
