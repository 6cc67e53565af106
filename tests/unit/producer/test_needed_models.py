"""Which models a host is looked over for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.monitoring.health import NeededModel
from db.settings import Settings
from producer.health.models import check_models

if TYPE_CHECKING:
    from pathlib import Path


def needed(backend: str, model: str) -> NeededModel:
    return NeededModel(campaign="trial", backend=backend, model=model, revision="main", models_directory="")


def test_a_model_that_lies_with_an_endpoint_is_not_looked_for_on_this_host(tmp_path: Path) -> None:
    found = check_models(
        [needed("chat-endpoint", "llm-of-the-endpoint"), needed("chat", str(tmp_path / "nowhere"))], Settings(), {}, timeout_seconds=1
    )

    assert len(found) == 1
    assert "nowhere" in found[0].text
