"""What an export tells of its campaign: what made the pictures, not where."""

from __future__ import annotations

import json

from db.campaigns.configuration import parse_config
from producer.export.published_config import published_config


def test_what_is_published_names_no_server_and_can_be_read_again() -> None:
    settings = {"url": "https://llm.intern.example:8000/v1", "concurrency": 4}
    config = parse_config({"prompt": {"backend": "chat-endpoint", "model": "some/model", "settings": settings}})

    published = published_config(config)

    assert "intern.example" not in json.dumps(published)
    assert parse_config(published).prompt.settings == {"concurrency": 4}
    assert parse_config(published).prompt.model == "some/model"
