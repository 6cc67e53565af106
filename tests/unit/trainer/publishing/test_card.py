from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import ModelCard

from tests.unit.trainer.publishing.conftest import score
from trainer.evaluate.evaluation import Evaluation
from trainer.model_sources import SavedModelSource
from trainer.publishing.card import model_card, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.model_folder import ModelConfig


def test_the_hub_reads_the_metadata_of_the_card(config: Callable[..., ModelConfig]) -> None:
    data: Any = ModelCard(model_card(config())).data

    assert (data.license, data.library_name, data.pipeline_tag) == ("unknown", "paragone", "image-feature-extraction")
    assert data.base_model == ["openai/clip-vit-base-patch32"]
    assert {"paragone", "image-similarity", "head:mlp"} <= set(data.tags)
    assert {(one.metric_type, one.metric_value) for one in data.eval_results} == {("accuracy", 0.95), ("recall_at_1", 0.25)}


def test_the_card_says_how_it_was_trained_and_evaluated(config: Callable[..., ModelConfig]) -> None:
    card = model_card(config())

    for fact in ("`studies/80-20/abc`", "seed 7", "300 groups of copies, 2,400 triplets", "0.930-0.970", "other-style", "0.0700"):
        assert fact in card
    assert "Licence: not named yet" in card
    (command,) = re.findall(r"^paragone train .*$", card, re.MULTILINE)
    assert "--campaign studies --split 80/20 --seed 7 --epochs 60 --negatives 4" in command
    assert "--clip openai/clip-vit-base-patch32" in command
    header, rule = (line for line in card.splitlines() if line.startswith(("| level", "|---|---|---|")))
    assert header.count("|") == rule.count("|") == 12


def test_a_card_names_no_path_of_a_machine(config: Callable[..., ModelConfig]) -> None:
    card = model_card(config(clip=SavedModelSource(location="/home/somebody/models/clip", revision="sha256:12")))

    assert "/home/somebody" not in card
    assert "`local:clip` at `sha256:12`" in card
    assert "--models DIR" in card
    assert "base_model" not in card
    assert "--clip" not in card


def evaluation(trained: tuple[float, float], frozen: tuple[float, float]) -> Evaluation:
    rows = {"trained": trained, "clip": frozen}
    return Evaluation(scores=tuple(score(name, sum(interval) / 2, interval) for name, interval in rows.items()))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metrics": evaluation((0.93, 0.97), (0.82, 0.88))}, "better than frozen CLIP: 0.950 (0.930-0.970) against 0.850"),
        ({"metrics": evaluation((0.82, 0.88), (0.93, 0.97))}, "worse than frozen CLIP"),
        ({"metrics": evaluation((0.82, 0.90), (0.88, 0.97))}, "no difference"),
        ({"metrics": evaluation((0.88, 0.97), (0.82, 0.90))}, "no difference"),
        ({"metrics": Evaluation(scores=())}, "without an evaluation"),
        ({"untrained_models": True}, "Nothing: tiny random models"),
    ],
)
def test_the_verdict_is_what_the_intervals_allow(config: Callable[..., ModelConfig], changes: dict[str, Any], says: str) -> None:
    changed = config(**changes)

    assert says in verdict(changed)
    assert verdict(changed) in model_card(changed)


def test_too_few_test_groups_give_no_verdict_however_good_the_figures_are(config: Callable[..., ModelConfig]) -> None:
    whole = config()
    few = whole.triplets.model_copy(update={"recipe": {**whole.triplets.recipe, "groups": {"test": 19}}})
    enough = whole.triplets.model_copy(update={"recipe": {**whole.triplets.recipe, "groups": {"test": 20}}})

    assert "Too few for a verdict: 19 groups" in verdict(config(triplets=few))
    assert "better" in verdict(config(triplets=enough))


def test_a_model_without_recipe_has_a_card_too(config: Callable[..., ModelConfig]) -> None:
    bare = config().triplets.model_copy(update={"recipe": {}})

    assert "not recorded by groups of copies" in model_card(config(triplets=bare))
