"""Checkpoints without pickle: one safetensors file with all tensors, and the rest as JSON in its header.

One file, replaced in one rename: weights and history of different epochs can never be paired. No random state is kept, because there is
none between epochs: each epoch is seeded by the training's seed and its own number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from trainer.errors import BadCheckpoint
from trainer.fit.history import History

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor
    from torch.optim import Optimizer

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A training between two epochs, or a finished head in closed form."""

    #: Of configuration and triplets: see `TrainingConfig.fingerprint`.
    fingerprint: str
    history: History
    head: dict[str, Tensor]
    temperature: dict[str, Tensor]
    #: The head and temperature of the best epoch.
    best: dict[str, Tensor]
    optimizer: dict[str, Any]

    def check(self, fingerprint: str, path: Path) -> None:
        """Raises `BadCheckpoint` if it belongs to another training than that of the fingerprint."""
        if self.fingerprint != fingerprint:
            raise BadCheckpoint(
                f"{path} belongs to a training with other parameters or triplets, or of an earlier version: start anew with --fresh"
            )


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the file whole or not at all."""
    tensors: dict[str, Tensor] = {}
    for section in ("head", "temperature", "best"):
        tensors |= {f"{section}/{name}": tensor for name, tensor in getattr(checkpoint, section).items()}
    for index, slots in checkpoint.optimizer["state"].items():
        tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in slots.items()}
    header = {
        "fingerprint": checkpoint.fingerprint,
        "history": checkpoint.history.model_dump(mode="json"),
        "param_groups": checkpoint.optimizer["param_groups"],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".writing")
    save_file(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, scratch, {"paragone": json.dumps(header)}
    )
    scratch.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read it back; raises `BadCheckpoint` for a file that `save_checkpoint` did not write."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
            header = json.loads((file.metadata() or {})["paragone"])
        history = History.model_validate(header["history"])
        fingerprint, groups = str(header["fingerprint"]), list(header["param_groups"])
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError, ValidationError) as error:
        raise BadCheckpoint(f"{path} is not a checkpoint that can be resumed ({type(error).__name__}): start anew with --fresh") from None
    return Checkpoint(
        fingerprint=fingerprint,
        history=history,
        head=_section(tensors, "head/"),
        temperature=_section(tensors, "temperature/"),
        best=_section(tensors, "best/"),
        optimizer={"state": optimizer_slots(_section(tensors, "optimizer/")), "param_groups": groups},
    )


def optimizer_state(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's state as tensors and JSON values."""
    state = optimizer.state_dict()
    groups = [
        {name: list(value) if isinstance(value, tuple) else value for name, value in group.items()} for group in state["param_groups"]
    ]
    return {"state": state["state"], "param_groups": groups}


def _section(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def optimizer_slots(flat: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """The optimizer's state by parameter, from tensors named `index/slot`."""
    state: dict[int, dict[str, Tensor]] = {}
    for path, tensor in flat.items():
        index, name = path.split("/")
        state.setdefault(int(index), {})[name] = tensor
    return state
