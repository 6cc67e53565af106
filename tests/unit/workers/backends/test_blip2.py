from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from workers.backends import CaptionRequest, ModelSource, ModelUnavailable
from workers.backends.blip2 import Blip2Captioner
from workers.backends.settings import Blip2Settings
from workers.backends.tiny_words import CAPTION_WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image


@pytest.fixture(scope="module")
def captioner(tiny: Path) -> Blip2Captioner:
    backend = Blip2Captioner(model=ModelSource(location=str(tiny / "captioner")), device="cpu")
    backend.load()
    return backend


def captions(backend: Blip2Captioner, images: list[Image], **settings: Any) -> list[str]:
    chosen = Blip2Settings(**{"max_new_tokens": 12, **settings})
    return [result.text for result in backend.run([CaptionRequest(image=image) for image in images], chosen)]


def test_every_image_gets_plain_words(captioner: Blip2Captioner, scenes: list[Image]) -> None:
    texts = captions(captioner, scenes)

    assert len(texts) == 4
    for text in texts:
        assert len(text.split()) >= 4
        assert set(text.split()) <= set(CAPTION_WORDS)


def test_a_caption_depends_on_its_image_and_not_on_its_batch(captioner: Blip2Captioner, scenes: list[Image]) -> None:
    together = captions(captioner, scenes)

    assert len(set(together)) > 1
    assert together == [captions(captioner, [image])[0] for image in scenes]
    assert together == list(reversed(captions(captioner, scenes[::-1])))


def test_a_prompt_is_completed_without_being_repeated_and_the_image_still_counts(captioner: Blip2Captioner, scenes: list[Image]) -> None:
    texts = captions(captioner, scenes, prompt="a painting of")

    assert len(set(texts)) > 1
    assert all(text and not text.startswith("a painting of") for text in texts)
    assert texts != captions(captioner, scenes)


def test_beams_and_length_are_settings(captioner: Blip2Captioner, scenes: list[Image]) -> None:
    assert all(len(text.split()) <= 5 for text in captions(captioner, scenes, max_new_tokens=5))
    assert all(captions(captioner, scenes, num_beams=2))


def test_an_empty_batch_has_no_captions(captioner: Blip2Captioner) -> None:
    assert captioner.run([], Blip2Settings()) == []


def test_another_kind_of_model_is_unavailable(tiny: Path) -> None:
    backend = Blip2Captioner(model=ModelSource(location=str(tiny / "clip")), device="cpu")

    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        backend.load()
