"""The folder of a trained model: `model.safetensors`, `config.json` and a card to read.

It records all that is needed to use the model on another machine: which CLIP, which captioner, what it was trained on, its metrics.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from trainer.calibration.calibration import read_calibration
from trainer.errors import BadModelFolder
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.metrics_table import plain_table
from trainer.fit.config import TrainingConfig
from trainer.heads.registry import new_head
from trainer.model_sources import SavedModelSource
from trainer.negatives.registry import DEFAULT_NEGATIVES

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from trainer.calibration.calibration import ModelCalibration
    from trainer.heads.siamese import SiameseHead

WEIGHTS, CONFIG, CARD, GROUPS = "model.safetensors", "config.json", "README.md", "groups.json"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class TripletSetSummary(_Record):
    """The triplets it was trained on."""

    name: str
    content_hash: str
    seed: int
    recipe: dict[str, Any]

    @property
    def negative_strategy(self) -> str:
        """The name of the strategy that drew the negatives."""
        return str(self.recipe.get("negatives", DEFAULT_NEGATIVES))


class ModelConfig(_Record):
    """`config.json`."""

    format: Literal[1] = 1
    dimension: int = Field(ge=1)
    campaign: str
    clip: SavedModelSource
    captioner: SavedModelSource | None = None
    training: TrainingConfig
    triplets: TripletSetSummary
    temperature: float
    best_epoch: int
    metrics: Evaluation
    #: True if the models behind the images had random weights: the figures show that the machinery works, nothing more.
    untrained_models: bool = False


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A head in evaluation mode, and its configuration."""

    head: SiameseHead
    config: ModelConfig
    directory: Path
    #: None in folders from before calibration, and where the validation side was too small.
    calibration: ModelCalibration | None = None


def save_model(directory: Path, head: SiameseHead, config: ModelConfig, groups: list[str]) -> None:
    """Write the folder; `groups` are the groups of copies it has seen, so that no later evaluation counts them."""
    directory.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in head.state_dict().items()}, directory / WEIGHTS)
    (directory / GROUPS).write_text(json.dumps(sorted(groups)), encoding="utf-8")
    (directory / CARD).write_text(_card(config), encoding="utf-8")
    (directory / CONFIG).write_text(config.model_dump_json(indent=2), encoding="utf-8")  # last: a folder with it is complete


def load_model(directory: Path) -> TrainedModel:
    """Read the folder.

    Raises:
        BadModelFolder: a file is missing or does not fit.
        UnknownComponent: its head is not installed here.
    """
    config = _config(directory)
    weights = _weights(directory / WEIGHTS)
    head = new_head(config.dimension, config.training)
    wanted = {name: tuple(tensor.shape) for name, tensor in head.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if wanted != found:
        name = min(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        differs = f"{name} is {found.get(name, 'missing')}, expected {wanted.get(name, 'nothing')}"
        raise BadModelFolder(f"{directory / WEIGHTS} does not fit its {CONFIG}: {differs}")
    head.load_state_dict(weights)
    return TrainedModel(head=head.eval(), config=config, directory=directory, calibration=read_calibration(directory))


def seen_groups(directory: Path) -> set[str]:
    """The groups of copies that the model was trained or validated on; empty if the folder does not say."""
    path = directory / GROUPS
    return set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()


def _config(directory: Path) -> ModelConfig:
    path = directory / CONFIG
    try:
        return ModelConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadModelFolder(f"{directory} holds no {CONFIG}: name the folder of a trained model, such as OUT/80-20") from None
    except OSError as error:
        raise BadModelFolder(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise BadModelFolder(f"{path} is not the configuration of a trained model: {place}: {fault['msg']}") from None


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise BadModelFolder(f"{path} is missing: train again, or copy it beside its {CONFIG}") from None
    except (SafetensorError, OSError) as error:
        raise BadModelFolder(f"{path} is not a safetensors file that can be read: {error}") from None


def _card(config: ModelConfig) -> str:
    note = (
        "\n**Tiny random models made its images and vectors: the figures show that the machinery works, nothing more.**\n"
        if config.untrained_models
        else ""
    )
    return f"""# Siamese head of campaign {config.campaign}
{note}
Measures how similar an original artwork and an image are: the cosine of two CLIP vectors after the head
(`{config.training.head}`, {config.dimension} -> {config.training.hidden} -> {config.training.out}).

- CLIP: `{config.clip.location}` at `{config.clip.revision}`
- triplets: `{config.triplets.name}`, SHA-256 `{config.triplets.content_hash}`
- negatives: `{config.triplets.negative_strategy}`, loss: `{config.training.loss}`
- best epoch: {config.best_epoch}, temperature {config.temperature:.4f}

```
{plain_table(config.metrics)}
```

`paragone compare A.jpg B.jpg --model THIS_FOLDER`
"""
