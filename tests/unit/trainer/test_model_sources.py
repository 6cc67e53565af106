from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from db.campaigns import CampaignConfig
from trainer.model_sources import (
    SavedModelSource,
    are_untrained,
    captioner_source,
    clip_source,
    models_directory,
    saved_captioner,
    saved_clip,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_clip_is_the_one_named_else_the_local_one_else_the_hubs(tmp_path: Path) -> None:
    assert clip_source(tmp_path, "other/clip").location == "other/clip"
    assert clip_source(tmp_path).location == str(tmp_path / "clip")
    assert clip_source(None).location == "openai/clip-vit-base-patch32"
    assert clip_source(None).dtype == "float32"


def test_a_hosts_own_models_replace_those_the_campaign_names(tmp_path: Path) -> None:
    config = CampaignConfig(models_directory="/elsewhere")

    assert models_directory(config, tmp_path) == tmp_path
    assert str(models_directory(config, None)) == "/elsewhere"
    assert models_directory(CampaignConfig(), None) is None


def test_the_captioner_is_the_campaigns_at_its_frozen_commit(tmp_path: Path) -> None:
    hub = captioner_source(CampaignConfig(), None, "abc")
    local = captioner_source(CampaignConfig.model_validate({"caption": {"model": "local:captioner"}}), tmp_path)

    assert hub == SavedModelSource(location="Salesforce/blip2-opt-2.7b", revision="abc", settings={})
    assert local is not None
    assert local.location == str(tmp_path / "captioner")
    assert captioner_source(CampaignConfig.model_validate({"caption": {"backend": "fake"}}), None) is None


def test_a_saved_local_models_content_hash_is_not_used_as_a_hub_revision(tmp_path: Path) -> None:
    assert saved_clip(SavedModelSource(location="/m/clip", revision="sha256:12"), None).revision is None
    assert saved_clip(SavedModelSource(location="a/clip", revision="abc"), None).revision == "abc"
    assert saved_clip(SavedModelSource(location="a/clip", revision="abc"), tmp_path).location == str(tmp_path / "clip")
    assert saved_captioner(None, None) is None


@pytest.mark.parametrize(
    ("text", "untrained"), [('{"trained": false}', True), ('{"trained": true}', False), ("{}", False), ("oops", False), (None, False)]
)
def test_models_json_says_whether_the_models_were_trained(tmp_path: Path, text: str | None, untrained: bool) -> None:
    if text is not None:
        (tmp_path / "models.json").write_text(text)

    assert are_untrained(tmp_path) is untrained
    assert are_untrained(None) is False


def test_importing_the_commands_loads_neither_torch_nor_matplotlib() -> None:
    heavy = "{'torch', 'transformers', 'sklearn', 'matplotlib', 'numpy'}"
    names = "train, evaluate, compare, report"
    code = f"import sys\nfrom trainer.commands import {names}\nprint(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
