"""The card of a trained model: a README with the metadata that the hub reads, rendered through `templates/model_card.md.j2`."""

from __future__ import annotations

import shlex
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from trainer.evaluate.metrics_table import COLUMNS, evaluation_text, table_rows
from trainer.local_models import folder_name, portable_location
from trainer.metrics.intervals import FEWEST_CLUSTERS

if TYPE_CHECKING:
    from jinja2 import Template

    from trainer.evaluate.evaluation import Evaluation
    from trainer.evaluate.metrics import Score
    from trainer.model_folder import ModelConfig
    from trainer.model_sources import SavedModelSource
    from trainer.spaces.saved_spaces import SavedSpace

#: The metadata's words for a licence that nobody has named.
UNNAMED_LICENSE = "unknown"

_TAGS = ["paragone", "siamese", "image-similarity", "art", "clip", "image-retrieval", "sentence-transformers"]


def model_card(config: ModelConfig) -> str:
    """The README of a model folder; equal for equal configurations."""
    recipe = config.triplets.recipe
    return _template().render(
        metadata=_metadata(config),
        config=config,
        head=_head_line(config),
        fit=_fit_line(config),
        spaces=[(space.name, _shown(space)) for space in config.embedded_in],
        table="" if config.metrics.table is None else evaluation_text(config.metrics),
        captioner=None if config.captioner is None else _shown(config.captioner),
        recipe=recipe,
        split_unit=recipe.get("unit", "groups of copies"),
        groups=recipe.get("groups", {}),
        triplets=recipe.get("triplets", {}),
        columns=COLUMNS,
        rows=table_rows(config.metrics),
        verdict=verdict(config),
        local_models=folder_name(portable_location(config.clip.location, config.clip.revision)) is not None,
        command=_train_command(config),
        version=version("paragone"),
    )


def verdict(config: ModelConfig) -> str:
    """One sentence on the head beside frozen CLIP: what the test triplets allow to say, and no more."""
    groups = config.triplets.recipe.get("groups", {}).get("test")
    trained, frozen = _all_levels(config.metrics, "trained"), _all_levels(config.metrics, "clip")
    if config.untrained_models:
        return "Nothing: tiny random models made its images and vectors, so the figures show that the machinery works."
    if trained is None or frozen is None or trained.accuracy_interval is None or frozen.accuracy_interval is None:
        return "Nothing yet: the model was saved without an evaluation beside frozen CLIP."
    if groups is not None and groups < FEWEST_CLUSTERS:
        return (
            f"Too few for a verdict: {groups} groups of copies were tested, fewer than {FEWEST_CLUSTERS}, "
            "so neither a lead over frozen CLIP nor a lag is shown."
        )
    (low, high), (frozen_low, frozen_high) = trained.accuracy_interval, frozen.accuracy_interval
    figures = f"{trained.accuracy:.3f} ({low:.3f}-{high:.3f}) against {frozen.accuracy:.3f} ({frozen_low:.3f}-{frozen_high:.3f})"
    if low > frozen_high:
        return f"On these test triplets the head is better than frozen CLIP: {figures}."
    if high < frozen_low:
        return f"On these test triplets the head is worse than frozen CLIP: {figures}. Use frozen CLIP."
    return f"On these test triplets no difference between the head and frozen CLIP is shown: {figures}, and the intervals overlap."


def _head_line(config: ModelConfig) -> str:
    training = config.training
    if training.parts:
        return "side by side " + ", ".join(f"`{part}`" for part in training.parts)
    if not config.best_epoch:
        return f"`{training.head}`, of {config.dimension} dimensions"
    return f"`{training.head}`, {config.dimension} -> {training.hidden} -> {training.out}, dropout {training.dropout}"


def _fit_line(config: ModelConfig) -> str:
    if not config.best_epoch:
        return "in closed form: there are no epochs"
    return f"best epoch: {config.best_epoch} of at most {config.training.epochs}"


def _metadata(config: ModelConfig) -> str:
    """YAML without its fences."""
    from huggingface_hub import EvalResult, ModelCardData

    def result(score: Score, metric: str, value: float, name: str) -> EvalResult:
        return EvalResult(
            task_type="image-feature-extraction",
            dataset_type=config.campaign,
            dataset_name=f"campaign {config.campaign}, test split",
            metric_type=metric,
            metric_value=round(value, 6),
            metric_name=f"{name}, {score.level}",
        )

    scores = [score for score in config.metrics.scores if score.scorer == "trained"]
    results = [result(score, "accuracy", score.accuracy, "triplet accuracy") for score in scores]
    results += [result(score, "recall_at_1", score.recall_at_1, "R@1") for score in scores]
    data = ModelCardData(
        license=UNNAMED_LICENSE,
        library_name="paragone",
        pipeline_tag="image-feature-extraction",
        tags=[*_TAGS, f"head:{config.training.head}"],
        base_model=[config.clip.location] if _on_hub(config.clip) else None,
        model_name=f"{config.campaign} siamese head" if results else None,
        eval_results=results or None,
    )
    return str(data.to_yaml())


def _train_command(config: ModelConfig) -> str:
    """The command that trains it again on the same data."""
    training, recipe = config.training, config.triplets.recipe
    options: dict[str, Any] = {
        "--campaign": config.campaign,
        "--split": recipe.get("split", "80/20"),
        "--seed": training.seed,
        "--epochs": training.epochs,
        "--negatives": recipe.get("per_repaint", 4),
        "--negative-strategy": config.triplets.negative_strategy,
        "--loss": training.loss,
        "--temperature": training.temperature,
    }
    if _on_hub(config.clip):
        options["--clip"] = config.clip.location
    words = [(name, str(value)) for name, value in options.items()]
    words += [("--space", space.name) for space in config.embedded_in]
    words += [("--head", str(part)) for part in training.parts] or [("--head", training.head)]
    return " ".join(["paragone train", *(f"{name} {shlex.quote(value)}" for name, value in words)])


def _all_levels(evaluation: Evaluation, scorer: str) -> Score | None:
    return next((score for score in evaluation.scores if (score.scorer, score.level) == (scorer, "all")), None)


def _on_hub(source: SavedModelSource) -> bool:
    location = portable_location(source.location, source.revision)
    return folder_name(location) is None and location.count("/") == 1


def _shown(source: SavedModelSource | SavedSpace) -> str:
    revision = f" at `{source.revision}`" if source.revision else ""
    return f"`{portable_location(source.location, source.revision)}`{revision}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("trainer.publishing", "templates"),
        autoescape=False,  # noqa: S701  # Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("model_card.md.j2")
