"""Which labels of a classifier count, with a tiny model of a real class whose answers are set by its last bias."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import ViTForImageClassification

from tests.builders.classifier import saved_classifier
from trainer.errors import ScoringImpossible
from trainer.quality.aesthetic import Aesthetic
from trainer.quality.image_classifier import ClassifierScorer, ImageClassifier
from trainer.quality.nsfw import Nsfw
from workers.backends.errors import ModelUnavailable
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def score_of(kind: type[ClassifierScorer], folder: Path) -> float:
    scorer = kind.__new__(kind)
    scorer.model = str(folder)
    classifier = ImageClassifier(model=ModelSource(location=str(folder)), device="cpu")
    classifier.load()
    chosen, classifier.activation = scorer.weights(classifier.labels, classifier.activation)
    images = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    first, second = classifier.answers(images) @ np.array(chosen, dtype=np.float32)
    assert first == pytest.approx(second)
    return float(first)


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


@pytest.mark.parametrize(
    ("logits", "config", "expected"),
    [
        ({"normal": 0.0, "nsfw": 2.0}, {}, sigmoid(2)),
        ({"NSFW": 2.0, "SFW": 0.0}, {}, sigmoid(2)),
        ({"nsfw": -1.0}, {}, sigmoid(-1)),
        ({"drawings": 0.0, "hentai": 0.0, "neutral": 0.0, "porn": 0.0, "sexy": 0.0}, {}, 0.6),
        ({"safe": 5.0, "nsfw": 1.0}, {"problem_type": "multi_label_classification"}, sigmoid(1)),
    ],
)
def test_nsfw_is_the_probability_of_the_label_that_means_it(
    logits: dict[str, float], config: dict[str, Any], expected: float, tmp_path: Path
) -> None:
    assert score_of(Nsfw, saved_classifier(tmp_path, logits, **config)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("logits", "config", "expected"),
    [
        ({"LABEL_0": 5.75}, {"problem_type": "regression"}, 5.75),
        ({"LABEL_0": 5.75}, {}, 5.75),
        ({"1": 0.0, "2": 0.0, "3 stars": 0.0}, {}, 2.0),
        ({"rating_4": 0.0, "rating_8": float(np.log(3))}, {}, 7.0),
        ({"not_aesthetic": 0.0, "aesthetic": 1.0}, {}, sigmoid(1)),
        ({"lq": 0.0, "hq": 1.0}, {}, sigmoid(1)),
    ],
)
def test_aesthetic_is_a_number_a_mean_rating_or_the_probability_of_the_good_label(
    logits: dict[str, float], config: dict[str, Any], expected: float, tmp_path: Path
) -> None:
    assert score_of(Aesthetic, saved_classifier(tmp_path, logits, **config)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("kind", "labels"), [(Nsfw, ["cat", "sfw"]), (Aesthetic, ["cat", "dog"]), (Aesthetic, ["1", "dog"])])
def test_a_model_without_a_fitting_label_is_refused_with_its_labels(kind: type[ClassifierScorer], labels: Sequence[str]) -> None:
    scorer = kind.__new__(kind)
    scorer.model = "someone/animals"
    with pytest.raises(ScoringImpossible, match=f"someone/animals .*it knows {labels[0]}, {labels[1]}"):
        scorer.weights(labels, "softmax")


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    folder = saved_classifier(tmp_path, {"normal": 0.0, "nsfw": 2.0})
    torch.save(ViTForImageClassification.from_pretrained(folder).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable):
        ImageClassifier(model=ModelSource(location=str(folder)), device="cpu").load()
