"""The configuration of a campaign whose every stage is a fake."""

from __future__ import annotations

from typing import Any

from db.campaigns import CampaignConfig, parse_config


def fake_config(**settings: Any) -> CampaignConfig:
    """Fakes for all stages, two levels; `settings` replace whole sections."""
    level = {"backend": "fake-repaint", "model": "", "steps": 4}
    recipe: dict[str, Any] = {
        "seed": 11,
        "caption": {"backend": "fake-caption", "model": ""},
        "prompt": {"backend": "fake-prompt"},
        "level": {"moderate": {**level, "strength": 0.5}, "radical": {**level, "strength": 0.75}},
        "picture": {"size": 64},
    }
    return parse_config(recipe | settings)
