"""The folder of a trained model: `model.safetensors`, `config.json` and a card to read.

It records all that is needed to use the model on another machine: which CLIP, which captioner, what it was trained on, its metrics.
Others may add `calibration.json` and `audit.json`. Format 2 names local models by name and content hash; format 1 by their path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from trainer.audit.findings import LeakageSummary
from trainer.calibration.calibration import read_calibration
from trainer.errors import BadModelFolder
from trainer.evaluate.evaluation import Evaluation
from trainer.fit.config import TrainingConfig, complete_record
from trainer.heads.registry import new_head
from trainer.local_models import with_local_paths, write_local_models
from trainer.model_sources import SavedModelSource
from trainer.negatives.registry import DEFAULT_NEGATIVES
from trainer.publishing.card import model_card
from trainer.publishing.sentence_transformers_files import MODULES, modules_json
from trainer.spaces.saved_spaces import SavedSpace
from trainer.spaces.space_slice import CLIP

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

    #: 2 where the spaces are named; in a folder of format 1 there is CLIP alone.
    format: Literal[1, 2] = 2
    dimension: int = Field(ge=1)
    campaign: str
    #: The CLIP shown beside the head; without a revision where it is not among the spaces.
    clip: SavedModelSource
    #: What a vector is made of, in the order of its columns.
    spaces: tuple[SavedSpace, ...] = ()
    captioner: SavedModelSource | None = None
    training: TrainingConfig
    triplets: TripletSetSummary
    temperature: float
    best_epoch: int
    metrics: Evaluation
    #: True if the models behind the images had random weights: the figures show that the machinery works, nothing more.
    untrained_models: bool = False
    #: What the sides of its split share; None if that was never looked at.
    audit: LeakageSummary | None = None

    @field_validator("training", mode="before")
    @classmethod
    def _complete(cls, kept: object) -> object:
        return complete_record(kept) if isinstance(kept, dict) else kept

    @model_validator(mode="after")
    def _spaces_fill_a_vector(self) -> ModelConfig:
        if self.spaces and sum(space.dimension for space in self.spaces) != self.dimension:
            raise ValueError(f"the spaces have {sum(space.dimension for space in self.spaces)} columns, the head takes {self.dimension}")
        return self

    @property
    def embedded_in(self) -> tuple[SavedSpace, ...]:
        """What a vector is made of; in a folder that names no spaces it is CLIP."""
        clip = self.clip
        return self.spaces or (
            SavedSpace(name=CLIP, location=clip.location, revision=clip.revision, dtype=clip.dtype, dimension=self.dimension),
        )


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A head in evaluation mode, and its configuration."""

    head: SiameseHead
    config: ModelConfig
    directory: Path
    #: None in folders from before calibration, and where the validation side was too small.
    calibration: ModelCalibration | None = None


def save_model(directory: Path, head: SiameseHead, config: ModelConfig, groups: list[str], *, remember_paths: bool = True) -> None:
    """Write the folder; `groups` are the groups of copies it has seen, so that no later evaluation counts them.

    With `remember_paths` a file beside them says where this machine keeps the local models that `config.json` names.
    """
    directory.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in head.state_dict().items()}, directory / WEIGHTS)
    (directory / GROUPS).write_text(json.dumps(sorted(groups)), encoding="utf-8")
    (directory / CARD).write_text(model_card(config), encoding="utf-8")
    (directory / MODULES).write_text(modules_json(), encoding="utf-8")
    if remember_paths:
        write_local_models(directory, config.model_dump())
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
    head.make_room({name: tuple(tensor.shape) for name, tensor in weights.items()})
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
        facts = json.loads(path.read_text(encoding="utf-8"))
        return ModelConfig.model_validate(with_local_paths(directory, facts))
    except FileNotFoundError:
        raise BadModelFolder(f"{directory} holds no {CONFIG}: name the folder of a trained model, such as OUT/80-20") from None
    except OSError as error:
        raise BadModelFolder(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise BadModelFolder(f"{path} is not the configuration of a trained model: {place}: {fault['msg']}") from None
    except ValueError as error:
        raise BadModelFolder(f"{path} is not the configuration of a trained model: {error}") from None


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise BadModelFolder(f"{path} is missing: train again, or copy it beside its {CONFIG}") from None
    except (SafetensorError, OSError) as error:
        raise BadModelFolder(f"{path} is not a safetensors file that can be read: {error}") from None
