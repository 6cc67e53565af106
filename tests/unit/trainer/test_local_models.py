from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from db.models_directory import pocket_directory
from trainer.errors import PretrainedModelUnavailable
from trainer.local_models import LOCAL_MODELS, portable_location, with_local_paths, write_local_models
from trainer.model_sources import SavedModelSource, saved_captioner, saved_clip

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("location", "revision", "written"),
    [
        ("openai/clip-vit-base-patch32", "3d74acf", "openai/clip-vit-base-patch32"),
        ("/home/somebody/models/clip", "sha256:12", "local:clip"),
        ("/home/somebody/models/clip/", None, "local:clip"),
        ("models/clip", "sha256:12", "local:clip"),
        ("~/clip", None, "local:clip"),
        ("local:clip", "sha256:12", "local:clip"),
        ("pocket:clip", "sha256:12", "pocket:clip"),
        (str(pocket_directory() / "clip"), "sha256:12", "pocket:clip"),
    ],
)
def test_what_is_written_of_a_location_is_no_path(location: str, revision: str | None, written: str) -> None:
    assert portable_location(location, revision) == written
    assert json.loads(SavedModelSource(location=location, revision=revision).model_dump_json())["location"] == written


def test_a_path_comes_back_on_the_machine_that_wrote_it_wherever_the_source_stands(tmp_path: Path) -> None:
    (tmp_path / "models" / "clip").mkdir(parents=True)
    place = str(tmp_path / "models" / "clip")
    source = SavedModelSource(location=place, revision="sha256:12")
    gone = SavedModelSource(location=str(tmp_path / "gone"), revision="sha256:34")
    nested = {"clip": source.model_dump(), "parts": [{"source": source.model_dump()}], "captioner": gone.model_dump()}

    write_local_models(tmp_path, nested)
    written = json.loads(json.dumps(nested | {"clip": source.model_dump(mode="json"), "captioner": gone.model_dump(mode="json")}))
    written["parts"] = [{"source": source.model_dump(mode="json")}]
    found = with_local_paths(tmp_path, written)

    assert found["clip"]["location"] == found["parts"][0]["source"]["location"] == place
    assert found["captioner"]["location"] == "local:gone"


def test_another_content_is_not_taken_for_the_local_model_of_the_same_name(tmp_path: Path) -> None:
    write_local_models(tmp_path, {"clip": {"location": str(tmp_path), "revision": "sha256:12"}})

    found = with_local_paths(tmp_path, {"clip": {"location": f"local:{tmp_path.name}", "revision": "sha256:34"}})

    assert found["clip"]["location"] == f"local:{tmp_path.name}"


def test_the_pocket_models_are_found_wherever_they_are_installed(tmp_path: Path) -> None:
    found = with_local_paths(tmp_path, {"clip": {"location": "pocket:clip", "revision": "sha256:12"}})

    assert found["clip"]["location"] == str(pocket_directory() / "clip")
    assert not (tmp_path / LOCAL_MODELS).exists()


def test_without_local_models_nothing_is_noted_and_an_older_note_goes(tmp_path: Path) -> None:
    write_local_models(tmp_path, {"clip": {"location": "/m/clip", "revision": None}})
    assert (tmp_path / LOCAL_MODELS).exists()

    write_local_models(tmp_path, {"clip": {"location": "openai/clip-vit-base-patch32", "revision": "abc"}})

    assert not (tmp_path / LOCAL_MODELS).exists()


def test_a_local_clip_that_is_not_here_is_asked_for_by_name_and_hash(tmp_path: Path) -> None:
    source = SavedModelSource(location="local:vit", revision="sha256:12")

    with pytest.raises(PretrainedModelUnavailable, match=r"local:vit \(sha256:12\).*--models"):
        saved_clip(source, None)
    assert saved_clip(source, tmp_path).location == str(tmp_path / "clip")
    (tmp_path / "vit").mkdir()
    assert saved_clip(source, tmp_path).location == str(tmp_path / "vit")
    assert saved_captioner(source, None) is None
