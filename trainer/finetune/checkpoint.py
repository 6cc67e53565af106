"""A fine-tuning between two steps, without pickle: what is trained and the optimizer's state in one safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from trainer.errors import BadCheckpoint
from trainer.fit.checkpoint import optimizer_slots

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

FINETUNE_CHECKPOINT = "finetune.safetensors"

_WEIGHTS, _OPTIMIZER = "weights/", "optimizer/"


@dataclass(frozen=True, kw_only=True)
class FinetuneCheckpoint:
    """Everything that a fine-tuning needs to go on; random numbers follow from seed and step."""

    #: Of configuration and pairs: see `FinetuneConfig.fingerprint`.
    fingerprint: str
    #: Loss of each step done.
    losses: list[float]
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]


def save_finetune_checkpoint(path: Path, checkpoint: FinetuneCheckpoint) -> None:
    """Write the file whole or not at all."""
    tensors = {f"{_WEIGHTS}{name}": tensor for name, tensor in checkpoint.weights.items()}
    for index, slots in checkpoint.optimizer["state"].items():
        tensors |= {f"{_OPTIMIZER}{index}/{name}": tensor for name, tensor in slots.items()}
    header = {"fingerprint": checkpoint.fingerprint, "losses": checkpoint.losses, "param_groups": checkpoint.optimizer["param_groups"]}
    scratch = path.with_suffix(".writing")
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    save_file(whole, scratch, {"paragone": json.dumps(header)})
    scratch.replace(path)


def load_finetune_checkpoint(path: Path) -> FinetuneCheckpoint:
    """Read it back; raises `BadCheckpoint` for a file that `save_finetune_checkpoint` did not write."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
            header = json.loads((file.metadata() or {})["paragone"])
        fingerprint, losses, groups = str(header["fingerprint"]), list(header["losses"]), list(header["param_groups"])
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise BadCheckpoint(f"{path} is not a checkpoint that can be resumed ({type(error).__name__}): start anew with --fresh") from None
    slots = optimizer_slots({name.removeprefix(_OPTIMIZER): tensor for name, tensor in tensors.items() if name.startswith(_OPTIMIZER)})
    return FinetuneCheckpoint(
        fingerprint=fingerprint,
        losses=losses,
        weights={name.removeprefix(_WEIGHTS): tensor for name, tensor in tensors.items() if name.startswith(_WEIGHTS)},
        optimizer={"state": slots, "param_groups": groups},
    )
