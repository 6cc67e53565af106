"""What a campaign may say to the writers that ask a language model, and how it is told what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from db.campaigns import parse_config, read_campaign_file
from db.enums import Stage
from db.errors import BadConfiguration
from db.jobs.batch_keys import parameters_of
from producer.backend_checks import check_backends, with_defaults
from producer.campaign_options import config_file, configuration


def config(**prompt: Any) -> Any:
    return parse_config({"prompt": {"backend": "chat-endpoint", "model": "some-llm", **prompt}})


@pytest.mark.parametrize("name", ["repaints-chat", "repaints-chat-endpoint"])
def test_the_campaigns_that_ship_can_be_opened(name: str) -> None:
    check_backends(configuration(read_campaign_file(config_file(name))[1]))


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ({"model": ""}, "prompt.model: it is empty: name the language model that writes"),
        ({"settings": {"url": "llm.example.org/v1"}}, "prompt.settings.url: it is no URL of a server"),
        ({"settings": {"url": "ftp://llm.example.org"}}, "prompt.settings.url: it is no URL of a server"),
        ({"settings": {"url": "http://[::1/v1"}}, "prompt.settings.url: it is no URL"),
        ({"settings": {"url": "https://me:hunter2@llm.example.org/v1"}}, "prompt.settings.url: it holds a name or password"),
        ({"settings": {"url": "https://llm.example.org/v1?key=hunter2"}}, "prompt.settings.url: it ends in ? or #"),
        ({"settings": {"api_key": "hunter2"}}, "prompt.settings.api_key: there is no such setting"),
        ({"settings": {"instructions": "{caption} {brief} {artist}"}}, "prompt.settings.instructions: there is no place {artist}"),
        ({"settings": {"instructions": "paint it"}}, "prompt.settings.instructions: {caption} and {brief} must be named"),
        ({"settings": {"temperature": 3.0}}, "prompt.settings.temperature = 3.0: give at most 2"),
        ({"settings": {"concurrency": 0}}, "prompt.settings.concurrency = 0: give at least 1"),
        ({"max_tokens": 76}, "prompt.max_tokens = 76: the backend sdxl of level moderate reads 75: give at most that"),
        ({"max_tokens": 75, "target_tokens": 80}, "prompt.target_tokens = 80: the backend sdxl of level moderate reads 75"),
    ],
)
def test_what_is_wrong_is_named_where_it_was_written(prompt: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadConfiguration) as refusal:
        check_backends(config(**prompt))
    assert fault in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_the_language_model_is_loaded_and_the_generator_counts() -> None:
    of_prompts = [one for one in parameters_of(config(revision="r7")) if one.stage is Stage.PROMPT]

    assert [(one.parameters.model, one.parameters.revision) for one in of_prompts] == [("some-llm", "r7")] * 2
    generator = {"model": "stabilityai/stable-diffusion-xl-refiner-1.0", "revision": "main"}
    assert [one.parameters.settings["counted_by"] for one in of_prompts] == [generator] * 2


def test_a_writer_without_a_model_is_given_the_generator_as_before() -> None:
    of_prompts = [one for one in parameters_of(parse_config({})) if one.stage is Stage.PROMPT]

    assert {one.parameters.model for one in of_prompts} == {"stabilityai/stable-diffusion-xl-refiner-1.0"}
    assert [one.parameters.settings for one in of_prompts] == [
        {"max_tokens": 75, "target_tokens": 55, "brief_set": level} for level in ("moderate", "radical")
    ]


def test_a_campaign_that_was_opened_before_keeps_its_hash() -> None:
    assert parse_config({}).config_hash == "fc2bda5da6c676418616fc4666c3d2d24486dcc0ffdc11a3301ce7e66bda7ad5"


def test_defaults_that_are_spelled_out_mean_the_same() -> None:
    plain, spelled = config(), config(settings={"temperature": 0.7, "concurrency": 8})

    assert with_defaults(plain) == with_defaults(spelled)
