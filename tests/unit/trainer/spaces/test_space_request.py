from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainer.spaces.space_request import SpaceRequest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected", "name"),
    [
        ("clip", SpaceRequest(kind="clip"), "clip"),
        ("latents#16", SpaceRequest(kind="latents", option="16"), "latents#16"),
        (
            "vision:facebook/dinov2-small",
            SpaceRequest(kind="vision", model="facebook/dinov2-small"),
            "vision:facebook/dinov2-small",
        ),
        (
            "vision:google/siglip2-base-patch16-224@75de2d5#mean",
            SpaceRequest(kind="vision", model="google/siglip2-base-patch16-224", revision="75de2d5", option="mean"),
            "vision:google/siglip2-base-patch16-224#mean",
        ),
    ],
)
def test_a_space_is_read_with_model_revision_and_option(text: str, expected: SpaceRequest, name: str) -> None:
    request = SpaceRequest.parse(text)

    assert request == expected
    assert request.name == name
    assert SpaceRequest.parse(name).option == request.option


def test_a_directory_is_known_by_its_last_name_whatever_signs_it_has(tmp_path: Path) -> None:
    (tmp_path / "dino@2").mkdir()

    request = SpaceRequest.parse(f"vision:{tmp_path}/dino@2#cls")

    assert (request.model, request.revision, request.option) == (f"{tmp_path}/dino@2", None, "cls")
    assert request.name == "vision:dino@2#cls"


@pytest.mark.parametrize("text", ["", "CLIP", "vision:", "latents#", ":clip", "vision:a#b#c", "clip latents"])
def test_what_is_no_space_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="vision:facebook/dinov2-small#mean"):
        SpaceRequest.parse(text)
